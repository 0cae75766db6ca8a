"""A deadline that passes is DEADLINE_EXCEEDED, whatever headers a client writes or leaves out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.envoy import calls, raw_grpc
from tests.envoy.protocols.backends import PausedStream, Silent, user_descriptor
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.upstream import serving
from tests.waiting import HANG

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_DEADLINE_EXCEEDED = 4
_UNARY, _STREAM = "/user.v1.UserService/GetUser", "user.v1.UserService/ListUsers"
_STREAMS = 60
_KINDS = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "application/grpc-web+proto; charset=utf-8",
    "application/grpc-web-text ;charset=utf-8",
    "Application/gRPC-Web+Proto",
    "APPLICATION/GRPC-WEB-TEXT",
]


@dataclass(frozen=True)
class Late:
    """Servers that answer late or never, behind the gateway.

    Attributes:
        port: Of the gateway.
        limited: Host of a service with a limit of 300 ms for unary calls.
    """

    port: int
    limited: str = "limited.test"
    streaming: str = "streaming.test"
    ended: str = "ended.test"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def late() -> AsyncIterator[Late]:
    paused, descriptor = PausedStream(b"", b""), user_descriptor()
    hosts = Late(0)
    limited = {"hostnames": [hosts.limited], "timeouts": {"request": "300ms"}}
    ended = {"hostnames": [hosts.ended], "timeouts": {"maxStreamDuration": "300ms"}}
    async with (
        serving(Silent()) as silent,
        serving(paused) as streaming,
        running_gateway() as made,
    ):
        await made.serve(
            Exposed("limited", descriptor, (silent,), limited),
            Exposed("streaming", descriptor, (streaming,), {"hostnames": [hosts.streaming]}),
            Exposed("ended", descriptor, (streaming,), ended),
        )
        yield Late(made.port)


async def _web(late: Late, host: str, path: str, headers: dict[str, str]) -> calls.GrpcReply:
    body = calls.frame(b"")
    if "-text" in headers["content-type"].lower():
        body = b"AAAAAAA="
    return calls.web_reply(
        await calls.http(late.port, "POST", path, body=body, headers={"host": host, **headers})
    )


@pytest.mark.parametrize("others", [{}, {"x-grpc-web": "1"}, {"accept": "*/*"}, {"x-grpc-web": ""}])
@pytest.mark.parametrize("kind", _KINDS)
async def test_a_unary_call_by_grpc_web(late: Late, kind: str, others: dict[str, str]) -> None:
    reply = await _web(late, late.limited, _UNARY, {"content-type": kind, **others})
    assert reply.code == _DEADLINE_EXCEEDED
    assert reply.message


@pytest.mark.parametrize("others", [[], [("x-grpc-web", "1")]])
async def test_a_unary_call_by_grpc(late: Late, others: list[tuple[str, str]]) -> None:
    reply = await raw_grpc.call(late.port, _UNARY[1:], others, host=late.limited)
    assert (reply.code, reply.reset) == (_DEADLINE_EXCEEDED, False)


@pytest.mark.parametrize("others", [{}, {"x-grpc-web": "1"}])
async def test_a_call_by_rest(late: Late, others: dict[str, str]) -> None:
    headers = {"host": late.limited, **others}
    reply = await calls.http(late.port, "GET", "/v1/users/x", headers=headers)
    assert (reply.status, reply.json()["code"]) == (504, _DEADLINE_EXCEEDED)


async def test_streams_end_with_the_status_of_the_server(late: Late) -> None:
    """Their headers were sent: a proxy that ends them could only reset them."""
    headers = [("grpc-timeout", "300m")]

    async def one() -> raw_grpc.RawReply:
        return await raw_grpc.call(late.port, _STREAM, headers, host=late.streaming)

    found = await asyncio.gather(*(one() for _ in range(_STREAMS)))
    assert [reply for reply in found if reply.reset or reply.code != _DEADLINE_EXCEEDED] == []


@pytest.mark.parametrize("kind", _KINDS[:3])
async def test_streams_by_grpc_web_end_with_the_status_of_the_server(late: Late, kind: str) -> None:
    headers = {"content-type": kind, "accept": kind, "grpc-timeout": "300m"}
    reply = await _web(late, late.streaming, f"/{_STREAM}", headers)
    assert reply.code == _DEADLINE_EXCEEDED


async def test_a_deadline_does_not_prolong_a_limited_stream(late: Late) -> None:
    """That of the service is for all; who of server and proxy is first is open."""
    headers = [("grpc-timeout", "1H")]
    reply = await asyncio.wait_for(
        raw_grpc.call(late.port, _STREAM, headers, host=late.ended), HANG
    )
    assert reply.reset or reply.code == _DEADLINE_EXCEEDED
