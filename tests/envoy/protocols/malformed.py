"""Requests that a server cannot parse, and calls of others that send the same headers."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence

import grpc

from tests.envoy import calls, raw_grpc
from tests.envoy.protocols.conftest import USERS

HEADERS = {"withUnderscoresAction": "Allow"}
"""What the gateway must have: names with underscores are metadata as well, where it allows them."""

PROTOCOLS = ("grpc", "grpc-web", "grpc-web-text", "rest")

CALLS_OF_OTHERS = int(os.environ.get("CALLS_OF_OTHERS", "300"))
"""How many calls must succeed; more find what is rare."""
METHOD = "user.v1.UserService/GetUser"
STREAM = "user.v1.UserService/ListUsers"
"""Without a timeout of its own: then Envoy passes ``grpc-timeout`` on as it is."""

Headers = Sequence[tuple[str, str]]

TIMEOUTS = [
    "10s",
    "3333.33m",
    "123456789S",
    "-1S",
    "1",
    "S",
    "1SS",
    "1.S",
    "0x1S",
    "1e3S",
    "1ms",
    "1h",
    "99999999999999999999H",
]
"""Among them 10000/3 ms, as a page could compute it."""

BINARY = [
    "$$$",
    "a",
    "YWJj,ZGVm",
    "YQ==YQ==",
    "YQ=",
    "YW\tJj",
    "YWJj=",
    "YWJj==",
    "=YWJ",
    "_-_-",
    "a===",
]
"""Not base64, or several values in one, which gRPC's core does not take."""

REFUSED: list[Headers] = [
    *([("grpc-timeout", value)] for value in ("", *TIMEOUTS)),
    [("grpc-timeout", "1S"), ("grpc-timeout", "1S")],
    [("grpc-timeout", "1S"), ("grpc-timeout", "nonsense")],
    *([("x-token-bin", value)] for value in BINARY),
    [("grpc-trace-bin", "$")],
    [("grpc-tags-bin", "$")],
    [("x-token-bin", "YWJj"), ("x-token-bin", "$")],
    [("x!token", "a")],
    [("grpc-previous-rpc-attempts", "x")],
    [("grpc-previous-rpc-attempts", "-1")],
    [("grpc-previous-rpc-attempts", "99999999999")],
]
UNSUPPORTED: list[Headers] = [
    [("grpc-encoding", "nonsense")],
    [("grpc-encoding", "GZIP")],
    [("grpc-encoding", "br")],
]
"""What gRPC calls UNIMPLEMENTED (grpc/grpc, compression.md); REST has no such header."""

REMOVED: list[Headers] = [
    [("grpc-status", "x")],
    [("grpc-retry-pushback-ms", "x")],
    [("grpc-internal-encoding-request", "x")],
    [("grpclb_client_stats", "x")],
    [("lb-cost-bin", "AA")],
    [("grpc-server-stats-bin", "$")],
    [("endpoint-load-metrics-bin", "$")],
    [("x-envoy-peer-metadata", "$")],
]
"""What no client may say at all."""


async def call(port: int, protocol: str, headers: Headers) -> int:
    """Makes one call through a gateway; returns its gRPC status code."""
    if protocol == "grpc":
        reply = await raw_grpc.call(port, STREAM, headers, host=USERS)
        assert reply.code is not None, reply
        return reply.code
    sent = [("host", USERS), *headers]
    if protocol == "rest":
        answer = await calls.http(port, "GET", "/v1/users/x", headers=sent)
        assert answer.status in (200, 400), answer
        assert (answer.status == 200) == ("code" not in answer.json())
        return int(answer.json().get("code", 0))
    text = protocol == "grpc-web-text"
    return (await calls.grpc_web(port, METHOD, b"", text=text, headers=sent)).code


async def assert_alone(port: int, protocol: str) -> None:
    """Checks that each malformed call fails, and none of the calls of others meanwhile.

    Args:
        port: Of the gateway.
        protocol: Of the malformed calls.
    """
    done = asyncio.Event()
    unsupported = 3 if protocol == "rest" else 12
    others = asyncio.create_task(_others(port, done))
    try:
        found = [
            (headers, code, await call(port, protocol, headers))
            for code, each in ((3, REFUSED), (unsupported, UNSUPPORTED), (0, REMOVED))
            for headers in each
        ]
    finally:
        done.set()
    assert len(found) >= 30
    assert [each for each in found if each[1] != each[2]] == []
    counts = await others
    assert counts == {(0, ""): counts.total()}
    assert counts.total() >= CALLS_OF_OTHERS


async def _others(port: int, done: asyncio.Event) -> Counter[tuple[int, str]]:
    """Calls with well-formed headers of the same names until the event; returns the outcomes."""
    counts: Counter[tuple[int, str]] = Counter()
    options = [("grpc.default_authority", USERS)]
    metadata = [("x-token-bin", b"ok"), ("grpc-trace-bin", b"ok"), ("grpc-tags-bin", b"ok")]
    gzip = grpc.Compression.Gzip
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options, gzip) as channel:
        while not done.is_set() or counts.total() < CALLS_OF_OTHERS:
            reply = await calls.grpc_call(channel, METHOD, b"", metadata=metadata)  # type: ignore[arg-type]
            counts[reply.code, reply.message] += 1
    return counts
