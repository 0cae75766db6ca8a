"""Calls that a client leaves open take neither the memory nor the places of others."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit_servers import (
    NAME,
    EchoServicer,
    ask,
    begin,
    calling,
    channel_to,
    config,
    eventually,
    failure,
    serving,
)

_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
_CHECK = "/grpc.health.v1.Health/Check"


async def _nothing() -> AsyncIterator[StringValue]:
    await asyncio.Event().wait()
    yield StringValue()


def silent(channel: grpc.aio.Channel, path: str) -> Any:
    """Begin a call that sends its headers and nothing else, whatever kind the server knows."""
    method = channel.stream_stream(path, StringValue.SerializeToString, StringValue.FromString)
    return method(_nothing())


async def check(channel: grpc.aio.Channel) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    return int(answer.status)


async def ended_with(calls: list[Any], code: grpc.StatusCode) -> int:
    """Return how many of the calls have ended, all of them with this code."""
    ended = [call for call in calls if call.done()]
    assert {await call.code() for call in ended} <= {code}
    return len(ended)


async def test_silent_streams_above_the_limit_are_refused() -> None:
    """And those that end make room; health is served all the time."""
    settings = config(max_concurrent_calls=5)
    async with calling(EchoServicer(), settings) as channel:
        calls = [silent(channel, f"/{NAME}/StreamStream") for _ in range(12)]
        await eventually(lambda: sum(call.done() for call in calls) == 7)
        refused = await failure(channel, "UnaryUnary")
        assert await check(channel) == health_pb2.HealthCheckResponse.SERVING
        assert await ended_with(calls, _EXHAUSTED) == 7
        for call in calls:
            call.cancel()
        for _ in range(20):  # more calls than there is room for, one after the other
            await eventually_asked(channel)

    assert refused.code() is _EXHAUSTED
    assert "5 calls open, the most that MAX_CONCURRENT_CALLS" in str(refused.details())


async def eventually_asked(channel: grpc.aio.Channel) -> None:
    """Ask until the server has noticed that other calls have ended."""
    code = _EXHAUSTED
    while code is _EXHAUSTED:
        code = await begin(channel, "UnaryUnary").code()
    assert code is grpc.StatusCode.OK


@pytest.mark.parametrize("kind", ["UnaryUnary", "UnaryStream"])
async def test_calls_that_send_no_request_make_room_for_those_that_do(kind: str) -> None:
    """Such a call is never authenticated, so it must not keep others out."""
    async with calling(EchoServicer(), config(max_concurrent_calls=5)) as channel:
        calls = [silent(channel, f"/{NAME}/{kind}") for _ in range(40)]
        await eventually(lambda: sum(call.done() for call in calls) == 35)
        assert await ask(channel, kind) == ["x"] * (1 if kind == "UnaryUnary" else 3)
        assert await ended_with(calls, _EXHAUSTED) == 36


async def test_health_checks_that_send_no_request_keep_no_probe_out() -> None:
    """Not even as many as there may be calls."""
    async with calling(EchoServicer(), config(max_concurrent_calls=5)) as channel:
        calls = [silent(channel, _CHECK) for _ in range(40)]
        await eventually(lambda: sum(call.done() for call in calls) == 35)
        for _ in range(20):
            assert await check(channel) == health_pb2.HealthCheckResponse.SERVING
        assert await ask(channel, "UnaryUnary") == ["x"]


async def test_watches_of_health_are_limited_and_take_no_place_of_calls() -> None:
    async with calling(EchoServicer(), config(max_concurrent_calls=3)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]
        for watch in watches:
            await watch.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Watch(health_pb2.HealthCheckRequest()).read()
        assert await ask(channel, "UnaryUnary") == ["x"]
        assert await check(channel) == health_pb2.HealthCheckResponse.SERVING

    assert caught.value.code() is _EXHAUSTED


async def test_one_connection_does_not_take_all_places() -> None:
    """Its further calls wait for their turn; those of another connection are served."""
    async with serving(EchoServicer(), config(max_streams_per_connection=4)) as server:
        options = {"use_local_subchannel_pool": 1}
        async with channel_to(server, **options) as greedy, channel_to(server, **options) as other:
            calls = [begin_open(greedy) for _ in range(4)]
            for call in calls:
                await call.write(StringValue(value="x"))
                await call.read()
            waiting = begin(greedy, "UnaryUnary")
            assert await ask(other, "UnaryUnary") == ["x"]
            assert not waiting.done()
            calls[0].cancel()
            assert (await waiting).value == "x"


def begin_open(channel: grpc.aio.Channel) -> Any:
    """Begin a stream that stays open."""
    path = f"/{NAME}/StreamStream"
    return channel.stream_stream(path, StringValue.SerializeToString, StringValue.FromString)()


async def test_a_call_without_its_request_is_refused() -> None:
    """gRPC's status for a wrong number of requests."""
    async with calling(EchoServicer()) as channel:
        path = f"/{NAME}/UnaryUnary"
        call = channel.stream_unary(path, StringValue.SerializeToString, StringValue.FromString)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(iter(()))

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "takes one request" in str(caught.value.details())
