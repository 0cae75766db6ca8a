"""Which calls of the access log are of a service, and how they are printed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import access_log
from grpc_operator.cli.live.access_log import Filter, code_of
from grpc_operator.gateway.envoy.access_log import FIELDS

USERS = Filter("shop/users", ("users.example.com", "*.users.net"), frozenset({"u.v1.Users"}))

CALL: dict[str, Any] = {
    "time": "2026-01-02T03:04:05.678Z",
    "authority": "users.example.com:8080",
    "method": "POST",
    "path": "/u.v1.Users/Get",
    "grpc_method": "/u.v1.Users/Get",
    "grpc_status": "OK",
    "response_code": 200,
    "response_code_details": "via_upstream",
    "duration_ms": 12,
    "upstream_cluster": "shop/users@7f3a9c2e",
    "upstream_host": "10.0.0.7:50051",
    "attempts": 1,
}
BY_REST = {"method": "GET", "path": "/v1/users/1"}
NOT_SENT = {"upstream_cluster": None, "upstream_host": None, "attempts": None}


def test_the_log_has_what_is_read() -> None:
    """The keys are those that proxies write."""
    assert CALL.keys() <= FIELDS.keys()


@pytest.mark.parametrize(
    ("changed", "wanted", "expected"),
    [
        ({}, {}, True),
        ({"upstream_cluster": "shop/users"}, {}, True),
        ({"upstream_cluster": "shop/users2"}, {}, False),
        ({"upstream_cluster": "other/users@7f3a9c2e"}, {}, False),
        (NOT_SENT, {}, True),
        ({**NOT_SENT, "authority": "any.users.net"}, {}, True),
        ({**NOT_SENT, "authority": "users.net"}, {}, False),
        ({**NOT_SENT, "authority": None}, {}, False),
        ({**NOT_SENT, "grpc_method": "/o.v1.Orders/Get"}, {}, False),
        ({**NOT_SENT, "grpc_method": "/v1/users/1"}, {}, True),
        ({}, {"method": "Get"}, True),
        ({}, {"method": "u.v1.Users/Get"}, True),
        ({}, {"method": "et"}, False),
        ({}, {"codes": {"OK"}}, True),
        ({"grpc_status": "NotFound"}, {"codes": {"NOT_FOUND"}}, True),
        ({"grpc_status": "NotFound"}, {"codes": {"INTERNAL"}}, False),
        ({"grpc_status": "Unavailable", "response_code": 503}, {"codes": {"503"}}, True),
        ({}, {"host": "users.example.com"}, True),
        ({}, {"host": "other.example.com"}, False),
        ({}, {"revision": "7f3a9c2e"}, True),
        ({}, {"revision": ""}, False),
        ({"upstream_cluster": "shop/users"}, {"revision": ""}, True),
        ({}, {"errors": True}, False),
        ({"grpc_status": "Canceled"}, {"errors": True}, True),
        ({"grpc_status": None, "response_code": 404}, {"errors": True}, True),
        ({"grpc_status": None, "response_code": 200}, {"errors": True}, False),
        ({"grpc_status": None, "response_code": 0}, {"errors": True}, True),
    ],
)
def test_which_calls_are_wanted(
    changed: dict[str, Any], wanted: dict[str, Any], *, expected: bool
) -> None:
    assert replace(USERS, **wanted).has({**CALL, **changed}) is expected


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {},
            (
                "2026-01-02T03:04:05.678Z  OK                       12 ms  u.v1.Users/Get"
                "  users.example.com:8080  7f3a9c2e 10.0.0.7:50051"
            ),
        ),
        (
            {**BY_REST, **NOT_SENT, "grpc_status": "ResourceExhausted", "response_flags": "RL"},
            (
                "2026-01-02T03:04:05.678Z  RESOURCE_EXHAUSTED       12 ms"
                "  GET /v1/users/1 (u.v1.Users/Get)  users.example.com:8080  -  [via_upstream RL]"
            ),
        ),
        (
            {**NOT_SENT, "method": "GET", "path": "/v1/x", "grpc_method": "/v1/x"},
            (
                "2026-01-02T03:04:05.678Z  OK                       12 ms  GET /v1/x"
                "  users.example.com:8080  -"
            ),
        ),
        (
            {"authority": "a\x1b[2Jb", "attempts": 3, "upstream_cluster": "shop/users"},
            (
                "2026-01-02T03:04:05.678Z  OK                       12 ms  u.v1.Users/Get"
                "  a\\x1b[2Jb  10.0.0.7:50051 (3 attempts)"
            ),
        ),
    ],
    ids=["gRPC", "REST", "no method", "hostile"],
)
def test_a_call_is_one_line(changed: dict[str, Any], line: str) -> None:
    assert access_log.rendered({**CALL, **changed}) == line


@pytest.mark.parametrize(
    ("text", "found"),
    [(json.dumps(CALL), True), ('{"level": "info"}', False), ("[1]", False), ("{", False)],
)
def test_only_calls_are_read(text: str, *, found: bool) -> None:
    """Envoy writes other lines as well."""
    assert (access_log.parsed(text) is not None) is found


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NOT_FOUND", "NOT_FOUND"),
        ("NotFound", "NOT_FOUND"),
        ("not-found", "NOT_FOUND"),
        ("Canceled", "CANCELLED"),
        ("5", "NOT_FOUND"),
        ("503", "503"),
    ],
)
def test_how_a_status_may_be_named(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize("name", ["", "NOTFOUND!X", "17", "1000", "²"])
def test_a_status_that_does_not_exist(name: str) -> None:
    """The error lists those that do."""
    with pytest.raises(CliError, match="RESOURCE_EXHAUSTED"):
        code_of(name)
