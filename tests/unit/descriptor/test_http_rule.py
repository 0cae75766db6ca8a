"""google.api.http against the messages of its method."""

import pytest

from grpc_operator import limits
from grpc_operator.descriptor import Binding, Method, RefusedRule, load
from tests.unit.descriptor import one_file

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/timestamp.proto";
service S {{
  rpc Do(Request) returns (Answer) {{ option (google.api.http) = {{ {first} }}; }}
  rpc Other(Request) returns (Answer) {{ option (google.api.http) = {{ {second} }}; }}
}}
message Request {{
  string id = 1;
  Inner inner = 2;
  repeated string names = 3;
  map<string, string> labels = 4;
  google.api.HttpBody raw = 5;
  google.protobuf.Timestamp at = 6;
  string user_id = 7;
}}
message Inner {{ Inner deeper = 1; string leaf = 2; }}
message Answer {{ google.api.HttpBody raw = 1; string text = 2; }}
"""


def method(rule: str) -> Method:
    """Returns a method with a rule."""
    loaded = load(one_file(SOURCE.format(first=rule, second='get: "/other"')))
    assert loaded.services[0].methods[1].bindings
    return loaded.services[0].methods[0]


def first_method(rule: str) -> tuple[Binding, ...]:
    """Returns the bindings that a rule makes."""
    assert method(rule).refused == ()
    return method(rule).bindings


@pytest.mark.parametrize(
    ("rule", "verb"),
    [
        ('get: "/v1/a"', "GET"),
        ('put: "/v1/a"', "PUT"),
        ('post: "/v1/a"', "POST"),
        ('delete: "/v1/a"', "DELETE"),
        ('patch: "/v1/a"', "PATCH"),
        ('custom: {kind: "HEAD", path: "/v1/a"}', "HEAD"),
        ('custom: {kind: "*", path: "/v1/a"}', "*"),
    ],
)
def test_verbs(rule: str, verb: str) -> None:
    """Five fixed ones, and any other as a custom kind."""
    assert first_method(rule) == (Binding(verb, "/v1/a", ("v1", "a")),)


def test_variables_body_and_additional_bindings() -> None:
    """Nested fields, well-known types with scalar JSON, bodies, in the order they are written."""
    rule = """
        post: "/v1/{inner.deeper.leaf}/{at}:move" body: "inner"
        additional_bindings { put: "/v2/{id=a/*}" body: "*" }
        additional_bindings { get: "/v3/{id=**}" }
        """
    assert first_method(rule) == (
        Binding(
            "POST",
            "/v1/{inner.deeper.leaf}/{at}:move",
            ("v1", "*", "*"),
            custom_verb="move",
            variables=("inner.deeper.leaf", "at"),
            body="inner",
        ),
        Binding("PUT", "/v2/{id=a/*}", ("v2", "a", "*"), variables=("id",), body="*"),
        Binding("GET", "/v3/{id=**}", ("v3", "**"), variables=("id",)),
    )


def test_http_bodies_in_fields() -> None:
    """The one response_body that Envoy knows."""
    (binding,) = first_method('post: "/v1" body: "raw" response_body: "raw"')

    assert (binding.body, binding.response_body) == ("raw", "raw")


_MANY = "".join(f'additional_bindings {{ get: "/v{n}" }}' for n in range(1, 18))


@pytest.mark.parametrize(
    ("rule", "refused", "expected", "served"),
    [
        ("", "a rule without a path", "needs a path: get, put, post, delete", []),
        ('get: "v1"', "GET v1", "must begin with /", []),
        ('get: "/v1/{idd}"', "GET /v1/{idd}", "Request has no field idd; did you mean id?", []),
        ('get: "/v1/{userId}"', "GET /v1/{userId}", "no field userId; did you mean user_id?", []),
        ('get: "/v1/{inner.lef}"', "", "Inner has no field lef; did you mean leaf?", []),
        ('get: "/v1/{inner}"', "", "binds inner, which is a message; bind one of its fields", []),
        ('get: "/v1/{id.x}"', "", "binds id.x, but id is not a message", []),
        ('get: "/v1/{names}"', "", "binds names, but names is repeated or a map", []),
        ('get: "/v1/{labels}"', "", "binds labels, but labels is repeated or a map", []),
        ('get: "/v1/{labels.key}"', "", "binds labels.key, but labels is repeated or a map", []),
        ('get: "/v1/{id=**}/{user_id}"', "", "may have only literals after **", []),
        ('post: "/v1" body: "nope"', "", 'has the body "nope": Request has no field nope', []),
        ('post: "/v1" body: "inner.leaf"', "", 'has the body "inner.leaf": Request has no', []),
        ('get: "/v1" response_body: "nope"', "", 'the response_body "nope": Answer has no', []),
        (
            'get: "/v1" response_body: "text"',
            "GET /v1",
            "but Envoy supports only those of type google.api.Http",
            [],
        ),
        ('custom: {kind: "head", path: "/v1"}', "head /v1", 'has the custom kind "head": it', []),
        ('custom: {kind: "", path: "/v1"}', " /v1", 'has the custom kind "": it must be', []),
        (
            """get: "/v1" additional_bindings {
                 get: "/v2" additional_bindings { get: "/v3" } additional_bindings { get: "/v4" }
               }""",
            "GET /v3 and 1 more",
            "is in additional_bindings of an additional binding",
            ["/v1", "/v2"],
        ),
        (
            'get: "/v1" additional_bindings { body: "*" } additional_bindings { get: "/v2" }',
            "a rule without a path",
            "needs a path: get, put",
            ["/v1", "/v2"],
        ),
        ('get: "/v1/{x}" additional_bindings { get: "/v2" }', "GET /v1/{x}", "no field", ["/v2"]),
        (
            'get: "/v1" response_body: "raw" additional_bindings { get: "/v2" }',
            "GET /v2",
            "must have the response_body of GET /v1 (raw)",
            ["/v1"],
        ),
        (
            'post: "/v1" body: "raw" additional_bindings { post: "/v2" body: "*" }',
            "POST /v2",
            "maps the request body to JSON, and POST /v1 to google.api.HttpBody; Envoy uses",
            ["/v1"],
        ),
        (
            f'get: "/v0" {_MANY}',
            "GET /v16 and 1 more",
            f"a method has at most {limits.DESCRIPTOR_BINDINGS} bindings, and this one has 18",
            [f"/v{n}" for n in range(16)],
        ),
    ],
)
def test_a_wrong_rule_is_named_and_the_others_are_served(
    rule: str, refused: str, expected: str, served: list[str]
) -> None:
    """It costs neither the other rules of the method, nor those of other methods."""
    found = method(rule)

    (one,) = found.refused
    assert one.rule == refused or not refused
    assert expected in one.reason
    assert [binding.template for binding in found.bindings] == served


def test_texts_are_bounded() -> None:
    """A tenant writes them, and they are shown in the status."""
    (one,) = method(f'get: "/v1/{"x" * 2000}"').refused

    assert one == RefusedRule(
        f"GET /v1/{'x' * 116}...", "has 2004 characters; at most 1024 are allowed"
    )


def test_equal_shapes_are_both_kept() -> None:
    """Which of them is served depends on the settings of the GrpcService."""
    found = method('get: "/v1/{id}" additional_bindings { get: "/v1/{user_id}" }')

    assert [binding.segments for binding in found.bindings] == [("v1", "*"), ("v1", "*")]


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/v1/{id=a/**}/b", ("v1", "a", "**", "b")),
        ("/v1/{id=**}/b:purge", ("v1", "**", "b")),
        ("/v1/**/b/c", ("v1", "**", "b", "c")),
    ],
)
def test_literals_after_a_double_wildcard(path: str, segments: tuple[str, ...]) -> None:
    """Envoy's transcoder knows these."""
    assert first_method(f'get: "{path}"')[0].segments == segments
