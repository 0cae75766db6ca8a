"""REST paths: what makes two the same, which is more literal, and what they match."""

import re

import pytest

from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway import patterns
from grpc_operator.gateway.patterns import Paths, Pattern
from tests.unit.gateway import binding


def pattern(text: str) -> Pattern:
    return Pattern.of(binding(text))


@pytest.mark.parametrize(
    ("text", "prefix", "matches", "others"),
    [
        ("GET /v1/users/*", "/v1/users", ["/v1/users/1"], ["/v1/users", "/v1/users/1/2"]),
        ("GET /v1/users", "/v1/users", ["/v1/users"], ["/v1/users/", "/v1/usersX"]),
        ("GET /v1/**", "/v1", ["/v1", "/v1/", "/v1/a/b"], ["/v1a", "/v2"]),
        ("POST /v1/users:sync", "/v1/users:sync", ["/v1/users:sync"], ["/v1/users"]),
        ("POST /v1/*/x:go", "/v1", ["/v1/a/x:go"], ["/v1/a/x", "/v1/a/b/x:go"]),
        ("POST /v1/users/*:go", "/v1/users", ["/v1/users/1:go"], ["/v1/users/1"]),
        ("GET /v1/a.b", "/v1/a.b", ["/v1/a.b"], ["/v1/aXb"]),
        ("GET /v1/a+(b)$", "/v1/a+(b)$", ["/v1/a+(b)$"], ["/v1/aa(b)$", "/v1/a+b$"]),
    ],
)
def test_prefix_and_expression(
    text: str, prefix: str, matches: list[str], others: list[str]
) -> None:
    """The literal beginning, and exactly the paths of the template."""
    made = pattern(text)

    assert made.prefix == prefix
    assert all(re.fullmatch(made.regex, path) for path in matches)
    assert not any(re.fullmatch(made.regex, path) for path in others)


def test_variables_make_no_difference() -> None:
    """Two templates that answer the same requests have one shape."""
    one = Binding("GET", "/v1/{name=users/*}", ("v1", "users", "*"), variables=("name",))
    other = Binding("GET", "/v1/users/{id}", ("v1", "users", "*"), variables=("id",))

    assert Pattern.of(one).shape == Pattern.of(other).shape == "GET /v1/users/*"


def test_the_more_literal_pattern_ranks_first() -> None:
    """A path that several match belongs to the one that says most about it."""
    expected = [
        "GET /v1/users/me",
        "GET /v1/users/*:go",
        "GET /v1/users/*",
        "* /v1/users/*",
        "GET /v1/*",
        "GET /v1/**",
    ]
    shuffled = expected[::-1]

    assert sorted(shuffled, key=lambda text: pattern(text).rank) == expected


@pytest.mark.parametrize(
    ("verb", "segments", "custom"),
    [
        ("GET", (), ""),
        ("GET", ("*",), ""),
        ("GET", ("**",), ""),
        ("GET", ("v1", "a b"), ""),
        ("GET", ("v1", "a?b"), ""),
        ("GET", ("v1", "a\r\nb"), ""),
        ("GET", ("v1", "ü"), ""),
        ("GET", ("v1", ".."), ""),
        ("GET", ("v1", ""), ""),
        ("GET", ("v1",), "a/b"),
        ("GE T", ("v1",), ""),
        ("", ("v1",), ""),
    ],
)
def test_what_cannot_be_routed(verb: str, segments: tuple[str, ...], custom: str) -> None:
    """No first literal, or what no URL has."""
    assert patterns.problem(Binding(verb, "", segments, custom)) is not None


def test_beginnings_of_several_paths() -> None:
    """One route for all that begins alike, custom verbs included."""
    texts = ["GET /v1/users/*", "POST /v1/users:sync", "GET /v1/users/me/*", "POST /v1/roles:all"]
    paths = Paths(tuple(pattern(text) for text in texts))

    assert paths.topmost == ("/v1/roles:all", "/v1/users", "/v1/users:sync")
    assert paths.starts == ("/v1/roles:all", "/v1/users")
    assert paths.lineage == {"/v1", *paths.literal_prefixes}
