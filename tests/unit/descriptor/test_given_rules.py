"""``spec.gateway.rest.rules``: the same as annotations of the proto."""

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import MessageToDict

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import EVERY, load
from tests.envoy.transcoding.corpus import Group, descriptor_set, groups
from tests.unit.descriptor import one_file

PLAIN = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
service S {
  rpc Get(M) returns (M);
  rpc Put(M) returns (M);
  rpc All(M) returns (stream M);
}
message M { string id = 1; string text = 2; }
"""
_GET = """option (google.api.http) = {
  get: "/v1/{id}" additional_bindings { custom: {kind: "OPTIONS" path: "/v1/{id}/{text}"} }
};"""
_PUT = 'option (google.api.http) = { put: "/v1/{id}" body: "*" };'
ANNOTATED = PLAIN.replace("rpc Get(M) returns (M);", f"rpc Get(M) returns (M) {{ {_GET} }}")
ANNOTATED = ANNOTATED.replace("rpc Put(M) returns (M);", f"rpc Put(M) returns (M) {{ {_PUT} }}")
OTHER = ANNOTATED.replace("/v1/", "/old/")
RULES = tuple(
    HttpRule.model_validate(each)
    for each in (
        {
            "selector": "p.S.Get",
            "get": "/v1/{id}",
            "additionalBindings": [{"custom": {"kind": "OPTIONS", "path": "/v1/{id}/{text}"}}],
        },
        {"selector": "p.S.Put", "put": "/v1/{id}", "body": "*"},
        {"selector": "p.S.Put", "put": "/second/{id}"},
        {"selector": "p.S.Absent", "get": "/absent"},
        {"selector": "p.Absent.Get", "get": "/absent"},
    )
)


@pytest.mark.parametrize("source", [PLAIN, OTHER])
def test_a_set_with_rules_is_one_with_annotations(source: str) -> None:
    """Byte for byte, so that nothing that reads it can tell them apart."""
    given, annotated = load(one_file(source), rules=RULES), load(one_file(ANNOTATED))

    assert given == annotated
    assert [len(each.bindings) for each in given.services[0].methods] == [2, 1, 0]


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.name)
def test_every_rule_of_the_corpus_can_be_one_of_the_spec(group: Group) -> None:
    """Moved from the proto into the spec, nothing changes."""
    annotated = descriptor_set(group)
    plain, rules = _moved(annotated)

    assert load(plain, rules=rules) == load(annotated)


def _moved(data: bytes) -> tuple[bytes, list[HttpRule]]:
    """Returns a set without annotations, and its annotations as rules."""
    parsed, rules = FileDescriptorSet.FromString(data), []
    for file in parsed.file:
        for service in file.service:
            for method in service.method:
                if not method.options.HasExtension(annotations_pb2.http):
                    continue
                option = MessageToDict(method.options.Extensions[annotations_pb2.http])
                selector = f"{file.package}.{service.name}.{method.name}"
                rules.append(HttpRule.model_validate({"selector": selector, **option}))
                method.options.ClearExtension(annotations_pb2.http)
    return parsed.SerializeToString(), rules


def test_the_pinned_set_has_the_rules() -> None:
    """A revision keeps its own, whatever the spec has by then."""
    given = load(one_file(PLAIN), rules=RULES)

    assert load(given.data, EVERY) == given


def test_without_rest_there_are_none() -> None:
    """They cost nothing where nobody can call them."""
    given, plain = (load(one_file(PLAIN), rest=False, rules=rules) for rules in (RULES, ()))

    assert given == plain


def test_a_rule_without_a_path_is_refused_alone() -> None:
    """The API server checks it; a file that is rendered was perhaps never there."""
    given = load(one_file(PLAIN), rules=[HttpRule(selector="p.S.Get"), RULES[1]])

    get, put, _ = given.services[0].methods
    assert [each.reason for each in get.refused] == [
        "needs a path: get, put, post, delete, patch or custom"
    ]
    assert len(put.bindings) == 1
