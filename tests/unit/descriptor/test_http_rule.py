"""google.api.http against the messages of its method."""

import pytest

from grpc_operator.descriptor import Binding, DescriptorError, load
from grpc_operator.descriptor.limits import MAX_BINDINGS
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


def first_method(rule: str, other: str = 'get: "/other"') -> tuple[Binding, ...]:
    """Returns the bindings that a rule makes."""
    loaded = load(one_file(SOURCE.format(first=rule, second=other)))
    return loaded.services[0].methods[0].bindings


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


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", "needs a path: get, put, post, delete, patch or custom"),
        ('get: "v1"', 'GET "v1" must begin with /'),
        ('get: "/v1/{idd}"', 'GET "/v1/{idd}" Request has no field idd; did you mean id?'),
        ('get: "/v1/{userId}"', "has no field userId; did you mean user_id?"),
        ('get: "/v1/{inner.lef}"', "Inner has no field lef; did you mean leaf?"),
        ('get: "/v1/{inner}"', "binds inner, which is a message; bind one of its fields, such as"),
        ('get: "/v1/{id.x}"', "binds id.x, but id is not a message"),
        ('get: "/v1/{names}"', "binds names, but names is repeated or a map"),
        ('get: "/v1/{labels}"', "binds labels, but labels is repeated or a map"),
        ('get: "/v1/{labels.key}"', "binds labels.key, but labels is repeated or a map"),
        ('post: "/v1" body: "nope"', 'has the body "nope": Request has no field nope'),
        ('post: "/v1" body: "inner.leaf"', 'has the body "inner.leaf": Request has no field'),
        ('get: "/v1" response_body: "nope"', 'the response_body "nope": Answer has no field nope'),
        (
            'get: "/v1" response_body: "text"',
            "but Envoy supports only those of type google.api.Http",
        ),
        ('custom: {kind: "head", path: "/v1"}', 'has the custom kind "head": it must be'),
        ('custom: {kind: "", path: "/v1"}', 'has the custom kind "": it must be'),
        (
            'get: "/v1" additional_bindings { get: "/v2" additional_bindings { get: "/v3" } }',
            'GET "/v2" must not have additional_bindings of its own',
        ),
        ('get: "/v1" additional_bindings { body: "*" }', "needs a path: get, put"),
        (
            'get: "/v1" response_body: "raw" additional_bindings { get: "/v2" }',
            "GET /v2 must have the response_body of the first binding (raw)",
        ),
        (
            'post: "/v1" body: "raw" additional_bindings { post: "/v2" body: "*" }',
            "maps the request body to google.api.HttpBody in one binding and to JSON in another",
        ),
        (
            'get: "/v0" ' + " ".join(f'additional_bindings {{ get: "/v{n}" }}' for n in range(17)),
            f"has 18 bindings; at most {MAX_BINDINGS} are allowed",
        ),
    ],
)
def test_wrong_rules_are_named_with_their_method(rule: str, expected: str) -> None:
    """File, method, rule, what is wrong."""
    with pytest.raises(DescriptorError) as caught:
        first_method(rule)

    (problem,) = caught.value.problems
    assert problem.message.startswith("test.proto: method p.S.Do: google.api.http ")
    assert expected in problem.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('get: "/v1/{id}"', 'get: "/v1/{user_id}"'),
        ('get: "/v1/{id}"', 'get: "/v1/*"'),
        ('post: "/v1:a"', 'get: "/v2" additional_bindings { post: "/v1:a" body: "*" }'),
    ],
)
def test_equal_shapes_are_refused(first: str, second: str) -> None:
    """Envoy's path matcher answers 404 for both."""
    with pytest.raises(DescriptorError, match=r"p\.S\.Other: .* matches the same requests as .*Do"):
        first_method(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('get: "/v1/{id}"', 'post: "/v1/{id}"'),
        ('get: "/v1/{id}"', 'get: "/v1/a"'),
        ('get: "/v1/{id}"', 'get: "/v1/{id}:a"'),
        ('get: "/v1/{id=*}"', 'get: "/v1/{id=**}"'),
    ],
)
def test_other_shapes_are_distinguished(first: str, second: str) -> None:
    """By HTTP method, by literals before wildcards, by custom verb."""
    assert first_method(first, second)


def test_every_wrong_rule_is_named_at_once() -> None:
    """One error is enough to fix all."""
    with pytest.raises(DescriptorError) as caught:
        first_method('get: "a"', 'get: "b"')

    assert len(caught.value.problems) == 2
