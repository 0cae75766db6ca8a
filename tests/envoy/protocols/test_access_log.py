"""The access log says how each call ended, by every protocol, whoever ended it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
import pytest_asyncio

from grpc_operator.cli.live import access_log
from grpc_operator.rollout import codes
from grpc_service_kit.testing.postgres import free_port
from tests.envoy import calls
from tests.envoy.calls import HttpReply
from tests.envoy.protocols.backends import Failing, Metadata, Silent, user_descriptor
from tests.envoy.protocols.clients import Client, GrpcClient, Outcome, RestClient, WebClient
from tests.envoy.protocols.conftest import USERS, Site
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_NAMES = {
    code.value[0]: "OK" if code.name == "OK" else code.name.title().replace("_", "")
    for code in grpc.StatusCode
} | {1: "Canceled"}


class FailingLate(grpc.GenericRpcHandler):
    """Streams one message, then fails: the status is in the trailers."""

    def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the same handler for each method."""

        async def answer(_: Any, context: Any) -> AsyncIterator[bytes]:
            yield b""
            await context.abort(grpc.StatusCode.DATA_LOSS, "late")

        return grpc.stream_stream_rpc_method_handler(answer)


def request_id(outcome: Outcome | HttpReply) -> str:
    """Returns what the gateway has called a call."""
    trailers = outcome.trailers if isinstance(outcome, Outcome) else {}
    headers = {**trailers, **outcome.headers}
    return next(value for name, value in headers.items() if name.lower() == "x-request-id")


@dataclass
class Logged:
    """A gateway whose services fail in every way."""

    gateway: Gateway
    schema: Any

    def clients(self, host: str) -> dict[str, Client]:
        """Returns one for each protocol."""
        port = self.gateway.port
        return {
            "grpc": GrpcClient(self.schema, port, host),
            "web": WebClient(self.schema, port, host),
            "text": WebClient(self.schema, port, host, text=True),
            "rest": RestClient(port, host),
        }

    async def line(self, request_id: str) -> dict[str, Any]:
        """Waits for the line of a call."""

        async def line() -> dict[str, Any]:
            lines = await self.gateway.envoy.access_log(1)
            return next((each for each in lines if each["request_id"] == request_id), {})

        return await until(line, "the line of a call")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def logged(site: Site) -> AsyncIterator[Logged]:
    descriptor = user_descriptor()
    async with (
        serving(Failing()) as failing,
        serving(FailingLate()) as late,
        serving(Silent()) as silent,
        running_gateway(access_log=True) as made,
    ):
        await made.serve(
            Exposed("failing", descriptor, (failing,), {"hostnames": ["failing.test"]}),
            Exposed("late", descriptor, (late,), {"hostnames": ["late.test"]}),
            Exposed(
                "silent",
                descriptor,
                (silent,),
                {"hostnames": ["silent.test"], "timeouts": {"request": "1s"}},
            ),
            Exposed("empty", descriptor, (), {"hostnames": ["empty.test"]}),
            Exposed(
                "small",
                descriptor,
                (failing,),
                {"hostnames": ["small.test"], "maxMessageBytes": 1024},
            ),
            Exposed("down", descriptor, (free_port(),), {"hostnames": ["down.test"]}),
        )
        yield Logged(made, site.schema)


_WAYS = [
    *(("failing.test", code.name) for code in grpc.StatusCode if code.value[0]),
    ("unknown.test", ""),
    ("empty.test", ""),
    ("down.test", ""),
    ("silent.test", ""),
]
"""Hosts, and what their server answers."""


@pytest.mark.parametrize("protocol", ["grpc", "web", "text", "rest"])
@pytest.mark.parametrize(("host", "fail"), _WAYS)
async def test_the_status_is_the_one_that_the_client_got(
    logged: Logged, protocol: str, host: str, fail: str
) -> None:
    outcome = await logged.clients(host)[protocol].call("GetUser", {"id": "x"}, x_fail=fail)
    line = await logged.line(request_id(outcome))
    assert (outcome.code, line["grpc_status"]) != (0, "OK")
    assert line["grpc_status"] == _NAMES[outcome.code], (outcome, line)
    assert access_log.status(line) == codes.NAMES[outcome.code], "as grpcop logs prints it"


@pytest.mark.parametrize("protocol", ["web", "text"])
async def test_metadata_that_is_refused(logged: Logged, protocol: str) -> None:
    outcome = await logged.clients("failing.test")[protocol].call(
        "GetUser", {"id": "x"}, x_token_bin="$"
    )
    line = await logged.line(request_id(outcome))
    assert (outcome.code, line["grpc_status"]) == (3, "InvalidArgument")


@pytest.mark.parametrize("protocol", ["web", "text"])
async def test_a_compression_that_is_not_supported(logged: Logged, protocol: str) -> None:
    outcome = await logged.clients("failing.test")[protocol].call(
        "GetUser", {"id": "x"}, grpc_encoding="none"
    )
    line = await logged.line(request_id(outcome))
    assert (outcome.code, line["grpc_status"]) == (12, "Unimplemented")


@pytest.mark.parametrize("protocol", ["grpc", "web", "text", "rest"])
async def test_a_stream_that_fails_after_its_first_message(logged: Logged, protocol: str) -> None:
    """A REST client gets no status then, and no end of the array."""
    client = logged.clients("late.test")[protocol]
    if isinstance(client, RestClient):
        reply = await client.send("ListUsers")
        line = await logged.line(request_id(reply))
    else:
        outcome = await client.call("ListUsers", {})
        assert outcome.code == grpc.StatusCode.DATA_LOSS.value[0]
        line = await logged.line(request_id(outcome))
    assert line["grpc_status"] == "DataLoss"


_REFUSED: dict[str, tuple[str, str, bytes | None, Mapping[str, str]]] = {
    "InvalidArgument": ("POST", "/v1/users", b"[]", {"content-type": "application/json"}),
    "NotFound": ("GET", "/v1/users/a/b", None, {}),
    "ResourceExhausted": ("POST", "/v1/users", b" " * 2000, {"content-type": "application/json"}),
}
"""REST requests that end at the gateway, by the status of each."""


@pytest.mark.parametrize("status", _REFUSED)
async def test_the_status_is_the_one_in_the_body(logged: Logged, status: str) -> None:
    verb, path, body, headers = _REFUSED[status]
    sent = {"host": "small.test", **headers}
    reply = await calls.http(logged.gateway.port, verb, path, body=body, headers=sent)
    line = await logged.line(request_id(reply))
    assert line["grpc_status"] == _NAMES[reply.json()["code"]] == status


async def test_lines_are_written_soon_and_with_times_in_rfc_3339(logged: Logged) -> None:
    """Without being asked for, in less than the 10 seconds that Envoy takes by default."""
    outcome = await logged.clients("empty.test")["grpc"].call("GetUser", {"id": "x"})
    stdout = logged.gateway.envoy.directory / "stdout"

    async def line() -> dict[str, Any]:
        lines = (json.loads(each) for each in stdout.read_text().splitlines())
        return next((each for each in lines if each["request_id"] == request_id(outcome)), {})

    found = await asyncio.wait_for(until(line, "the line of the call"), 5)
    assert datetime.fromisoformat(found["time"]).utcoffset() == timedelta()


async def test_what_envoy_says_itself_is_json_too(logged: Logged) -> None:
    lines = [json.loads(each) for each in logged.gateway.envoy.log().splitlines()]
    assert lines
    for line in lines:
        assert set(line) == {"time", "level", "logger", "message"}
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta()


@pytest.mark.parametrize("hops", [0, 1])
async def test_every_call_has_an_id(site: Site, hops: int) -> None:
    """The gateway makes it, server and client get it; only trusted proxies may bring one."""
    metadata = Metadata()
    brought = "any text"
    async with (
        serving(metadata) as upstream,
        running_gateway(access_log=True, trusted_hops=hops) as made,
    ):
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        found = []
        for client in Logged(made, site.schema).clients(USERS).values():
            for sent in ({}, {"x_request_id": brought}):
                outcome = await client.call("GetUser", {"id": "x"}, **sent)
                found.append(request_id(outcome))
        lines = await made.envoy.access_log(len(found))
    assert [seen["x-request-id"] for seen in metadata.seen] == found
    assert [line["request_id"] for line in lines] == found
    assert len(set(found)) == (5 if hops else 8)
    for each in found:
        assert (hops and each == brought) or str(UUID(each)) == each
