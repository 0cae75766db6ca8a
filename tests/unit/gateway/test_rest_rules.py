"""Which REST rules are served, and what becomes of the others."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator import limits
from grpc_operator.descriptor import load
from grpc_operator.descriptor.model import Descriptor, RefusedRule
from grpc_operator.gateway import ir
from tests.unit.descriptor import one_file
from tests.unit.gateway import attached

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
service A {
  rpc Plain(M) returns (M);
  rpc Get(M) returns (M) { option (google.api.http) = { get: "/v1/a/{id}" }; }
  rpc Same(M) returns (M) {
    option (google.api.http) = { get: "/v1/a/{name}" additional_bindings { get: "/v1/same" } };
  }
  rpc Head(M) returns (M) { option (google.api.http) = { custom: {kind: "HEAD" path: "/v1"} }; }
  rpc First(M) returns (M) { option (google.api.http) = { get: "/{id}" }; }
  rpc Upload(M) returns (M) { option (google.api.http) = { post: "/v1/raw" body: "raw" }; }
  rpc Download(M) returns (M) {
    option (google.api.http) = { get: "/v1/raw" response_body: "raw" };
  }
}
service B {
  rpc Get(M) returns (M) { option (google.api.http) = { get: "/v1/a/{id=*}" }; }
  rpc Own(M) returns (M) { option (google.api.http) = { post: "/p.A/Plain" body: "*" }; }
}
message M { string id = 1; string name = 2; google.api.HttpBody raw = 3; }
"""
_SERVED_BY_GET = "matches the same requests as a rule of p.A/Get, which is served"


@pytest.fixture(name="descriptor", scope="module")
def _descriptor() -> Descriptor:
    return load(one_file(SOURCE))


def served(attachment: ir.Attachment) -> dict[str, list[str]]:
    """Returns the bindings of methods that have some."""
    return {
        f"{api.name[2:]}/{method.name}": [f"{b.verb} {b.template}" for b in method.bindings]
        for api in attachment.apis
        for method in api.methods
        if method.bindings
    }


def refused(attachment: ir.Attachment) -> dict[str, tuple[RefusedRule, ...]]:
    """Returns the rules that are not served."""
    return {
        f"{api.name[2:]}/{method.name}": method.refused
        for api in attachment.apis
        for method in api.methods
        if method.refused
    }


def silenced(*methods: str, rest: str = "Disabled") -> list[dict[str, Any]]:
    """Returns ``spec.gateway.methods``."""
    return [
        {"service": f"p.{name[0]}", "method": name.partition("/")[2], "rest": rest}
        for name in methods
    ]


def test_each_rule_that_cannot_be_served_is_refused_alone(descriptor: Descriptor) -> None:
    """The same path of two methods, of two gRPC services, HEAD, a variable at the beginning."""
    made = attached({}, descriptor)

    assert served(made) == {
        "A/Get": ["GET /v1/a/{id}"],
        "A/Same": ["GET /v1/same"],
        "A/Upload": ["POST /v1/raw"],
        "A/Download": ["GET /v1/raw"],
        "B/Own": ["POST /p.A/Plain"],
    }
    found = refused(made)
    assert found["A/Same"] == (RefusedRule("GET /v1/a/{name}", _SERVED_BY_GET),)
    assert found["B/Get"] == (RefusedRule("GET /v1/a/{id=*}", _SERVED_BY_GET),)
    assert found["A/Head"][0].reason.startswith("HEAD cannot be served")
    assert found["A/First"][0].reason.startswith("the path begins with a variable")
    assert len(found) == 4


def test_the_transcoder_gets_only_what_is_served(descriptor: Descriptor) -> None:
    """It would refuse the others, and with them the whole configuration."""
    made = attached({}, descriptor)

    assert made.rest is not None
    (a, b) = load(made.rest.descriptor, ["p.A", "p.B"]).services
    assert all(not method.refused for each in (a, b) for method in each.methods)
    assert sum(len(method.bindings) for each in (a, b) for method in each.methods) == 5


@pytest.mark.parametrize("methods", [[], silenced("A/Get")], ids=["all", "some"])
def test_the_transcoder_gets_nothing_reserved(methods: list[dict[str, Any]]) -> None:
    """It has no use for it, and needs 36 times as much memory."""
    source = SOURCE.replace("message M {", 'message M { reserved 9; reserved "old";')
    spec = {"methods": methods}

    made, same = attached(spec, load(one_file(source))), attached(spec, load(one_file(SOURCE)))

    assert made.rest == same.rest


def test_a_silenced_method_leaves_its_paths_to_the_others(descriptor: Descriptor) -> None:
    """And what of it cannot be served is no longer named."""
    made = attached({"methods": silenced("A/Get", "A/Head", "A/First", "B/Get")}, descriptor)

    assert served(made)["A/Same"] == ["GET /v1/a/{name}", "GET /v1/same"]
    assert "A/Get" not in served(made)
    assert refused(made) == {}
    assert [method.name for method in made.apis[0].methods][1] == "Get"


def test_all_methods_but_one_are_silenced(descriptor: Descriptor) -> None:
    """The more specific setting counts."""
    given = [*silenced("A/*"), *silenced("A/Same", rest="Enabled")]
    made = attached({"methods": given, "rest": {"autoMapping": "Enabled"}}, descriptor)

    assert [name for name in served(made) if name.startswith("A")] == ["A/Same"]
    assert served(made)["A/Same"][-1] == "POST /p.A/Same"


def test_automatic_mapping_comes_after_what_is_written(descriptor: Descriptor) -> None:
    """Not where its path is another method's, nor where Envoy would read the body as it is."""
    found = served(attached({"rest": {"autoMapping": "Enabled"}}, descriptor))

    assert "A/Plain" not in found
    assert found["A/Get"] == ["GET /v1/a/{id}", "POST /p.A/Get"]
    assert found["A/Upload"] == ["POST /v1/raw"]
    assert found["A/Download"] == ["GET /v1/raw", "POST /p.A/Download"]
    assert found["A/First"] == ["POST /p.A/First"]


def test_more_bindings_than_any_gateway_can_serve(
    descriptor: Descriptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24,000 of them made two gigabytes of routes in each proxy."""
    few = replace(limits.DESCRIPTOR_ALL_BINDINGS, value=2)
    monkeypatch.setattr(limits, "DESCRIPTOR_ALL_BINDINGS", few)

    made = attached({}, descriptor)

    assert [*served(made)] == ["A/Get", "A/Same"]
    assert refused(made)["B/Own"][0].reason == "a GrpcService has at most 2 HTTP bindings"


def test_rest_may_be_asked_for_where_no_rule_can_be_served(descriptor: Descriptor) -> None:
    """What is served by gRPC stays so."""
    only = load(descriptor.data, ["p.B"])
    given = {"protocols": ["GRPC", "REST"], "methods": silenced("B/*")}

    made = attached(given, only)

    assert (made.grpc, made.rest) == (True, None)


def test_automatic_mapping_of_a_request_with_a_group() -> None:
    """Every field of the request could be in the body."""
    source = """
        syntax = "proto2"; package p;
        service S { rpc Do(M) returns (M); }
        message M { repeated group Part = 1 {} }
        """
    made = attached({"rest": {"autoMapping": "Enabled"}}, load(one_file(source)))

    assert made.rest is None
    (rule,) = made.apis[0].methods[0].refused
    assert rule.rule == "POST /p.S/Do"
    assert rule.reason.startswith("has a body with p.M.part, which is a group")
