"""Time limits: unary calls end, streams go on, the client's deadline is honoured."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import grpc
import pytest
import pytest_asyncio

from tests.envoy.protocols.backends import PausedStream, Silent, user_descriptor
from tests.envoy.protocols.clients import GrpcClient, RestClient, WebClient
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from tests.waiting import HANG
from user.v1 import user_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_SHORT, _DEFAULT, _STREAM = "short.test", "default.test", "stream.test"
_LIMIT = 0.3
_AT_LEAST = _LIMIT - 0.01
"""Envoy's timers count whole milliseconds, from when it last read the clock."""

_UNLIMITED = "unlimited.test"


@dataclass
class Slow:
    """Servers that answer late or never, behind Envoy."""

    gateway: Gateway
    paused: PausedStream


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def slow() -> AsyncIterator[Slow]:
    first, second = (user_pb2.User(name=name).SerializeToString() for name in ("a", "b"))
    paused, descriptor = PausedStream(first, second), user_descriptor()
    short = {"timeouts": {"request": "300ms", "streamIdle": "1h"}}
    async with (
        serving(Silent()) as silent,
        serving(paused) as streaming,
        running_gateway() as made,
    ):
        await made.serve(
            Exposed("short", descriptor, (silent,), {"hostnames": [_SHORT], **short}),
            Exposed("default", descriptor, (silent,), {"hostnames": [_DEFAULT]}),
            Exposed(
                "unlimited",
                descriptor,
                (silent,),
                {"hostnames": [_UNLIMITED], "timeouts": {"request": "0s"}},
            ),
            Exposed("stream", descriptor, (streaming,), {"hostnames": [_STREAM], **short}),
        )
        yield Slow(made, paused)


async def test_unary_limit(slow: Slow, site: Site) -> None:
    port = slow.gateway.port
    for client in (
        GrpcClient(site.schema, port, _SHORT),
        WebClient(site.schema, port, _SHORT),
        WebClient(site.schema, port, _SHORT, text=True),
        RestClient(port, _SHORT),
    ):
        start = time.monotonic()
        outcome = await client.call("GetUser", {"id": "x"})
        assert outcome.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0], client
        assert time.monotonic() - start >= _AT_LEAST


@pytest.mark.parametrize(("host", "deadline"), [(_UNLIMITED, "300m"), (_SHORT, "1H")])
async def test_the_deadline_and_the_limit(slow: Slow, site: Site, host: str, deadline: str) -> None:
    """The shorter one ends the call; the other one would not before the test is given up.

    Seen from gRPC-Web, whose client has no clock of its own here.
    """
    web = WebClient(site.schema, slow.gateway.port, host)
    start = time.monotonic()
    outcome = await web.call("GetUser", {"id": "x"}, grpc_timeout=deadline)
    assert outcome.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
    assert time.monotonic() - start >= _AT_LEAST


async def test_the_limits_that_envoy_keeps(slow: Slow) -> None:
    """The default is 15 seconds; read from Envoy, for how late a call ends proves nothing."""
    dump = json.dumps(await slow.gateway.envoy.config_dump("dynamic_route_configs"))
    for limit in ("15s", f"{_LIMIT:.3f}s"):
        assert f'"max_stream_duration": "{limit}"' in dump


async def test_a_stream_outlives_the_unary_limit(slow: Slow, site: Site) -> None:
    options = [("grpc.default_authority", _STREAM)]
    target = f"127.0.0.1:{slow.gateway.port}"
    slow.paused.go_on.clear()
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
            "/user.v1.UserService/ListUsers"
        )
        stream = method(b"", timeout=HANG)
        assert _name(await stream.read()) == "a"
        web = WebClient(site.schema, slow.gateway.port, _STREAM)
        rest = RestClient(slow.gateway.port, _STREAM)
        others = [asyncio.create_task(client.call("ListUsers", {})) for client in (web, rest)]
        done, _ = await asyncio.wait(others, timeout=3 * _LIMIT)
        assert not done
        slow.paused.go_on.set()
        assert _name(await stream.read()) == "b"
        assert await stream.code() == grpc.StatusCode.OK
    for other in others:
        assert (await other).answers == ({"name": "a"}, {"name": "b"})


async def test_a_rest_stream_comes_as_it_is_made(slow: Slow) -> None:
    slow.paused.go_on.clear()
    url = f"http://127.0.0.1:{slow.gateway.port}/v1/users"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"host": _STREAM}) as answer,
    ):
        assert await asyncio.wait_for(answer.content.readany(), HANG) == b'[{"name":"a"}'
        slow.paused.go_on.set()
        assert await answer.content.read() == b',{"name":"b"}]'


def _name(message: object) -> str:
    assert isinstance(message, bytes)
    return user_pb2.User.FromString(message).name
