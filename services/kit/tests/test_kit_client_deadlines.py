"""How long calls may take: defaults, timeouts, and what the call being served has left."""

import asyncio
import time
from contextvars import copy_context
from typing import Any

import grpc
import pytest

from grpc_service_kit import context
from grpc_service_kit.client import ClientOptions, Target, bearer, connect, forward_authorization
from grpc_service_kit.testing.polling import Attempt, attempts, until
from kit_client_servers import (
    KINDS,
    SERVICE,
    Connect,
    Echo,
    Kind,
    Seen,
    enter_call,
    every_kind,
    failure,
    serving,
)

pytest_plugins = ["kit_client_fixtures"]


def _has_left(seen: Seen, seconds: float, since: float) -> bool:
    """Return whether a call had so many seconds, counted from `since` or later.

    Holds however long the call took to arrive. gRPC rounds `grpc-timeout` up by up to 2 %.
    """
    if seen.remaining is None:
        return False
    return since + seconds - 1 < seen.begun + seen.remaining < seen.begun + seconds * 1.02


async def test_a_unary_call_has_the_default_deadline_and_streams_have_none(
    echo: Echo, client: Connect
) -> None:
    channel = client(default_deadline_seconds=700)

    began = time.monotonic()
    for kind in KINDS.values():
        await kind(channel)

    calls = {seen.method: seen for seen in echo.seen}
    assert _has_left(calls.pop("UnaryUnary"), 700, began)
    assert {seen.remaining for seen in calls.values()} == {None}


@every_kind
async def test_a_timeout_of_the_call_stands(echo: Echo, client: Connect, kind: Kind) -> None:
    began = time.monotonic()
    await kind(client(default_deadline_seconds=100), timeout=1000)

    assert _has_left(echo.seen[0], 1000, began)


@every_kind
async def test_the_timeout_of_the_service_config_is_sent_to_the_server(
    echo: Echo, kind: Kind
) -> None:
    target = Target.parse(echo.target, '{"methodConfig": [{"name": [{}], "timeout": "600s"}]}')

    began = time.monotonic()
    async with connect(target, ClientOptions(default_deadline_seconds=100)) as channel:
        await kind(channel)
        await kind(channel, timeout=1000)
        await kind(channel, timeout=300)

    first, second, third = echo.seen
    assert _has_left(first, 600, began)
    assert _has_left(second, 600, began)
    assert _has_left(third, 300, began)


@every_kind
async def test_the_deadline_of_the_call_being_served_caps_the_outgoing_one(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    began = time.monotonic()
    context.deadline.set(began + 500)
    channel = client(default_deadline_seconds=2000, deadline_margin_seconds=100)

    await kind(channel)
    await kind(channel, timeout=1000)
    await kind(channel, timeout=200)

    first, second, third = echo.seen
    assert _has_left(first, 400, began)
    assert _has_left(second, 400, began)
    assert _has_left(third, 200, began)


@every_kind
@pytest.mark.parametrize("left", [-1, 0.01], ids=["passed", "less-than-the-margin"])
async def test_a_call_without_time_left_fails_at_once(
    echo: Echo, client: Connect, kind: Kind, left: float
) -> None:
    context.deadline.set(time.monotonic() + left)
    channel = client()

    for _ in range(20):
        error = await failure(kind(channel, timeout=100))

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert error.details() == (
        f"/{SERVICE}/{_method(kind)} was not called: the deadline has passed"
    )
    assert echo.seen == []


def _method(kind: Kind) -> str:
    return next(name for name, known in KINDS.items() if known is kind)


@every_kind
async def test_a_timeout_of_zero_sends_nothing(echo: Echo, client: Connect, kind: Kind) -> None:
    channel = client()

    for _ in range(20):
        error = await failure(kind(channel, timeout=0))
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    assert echo.seen == []


async def test_a_stream_that_is_written_to_says_that_its_deadline_has_passed(
    echo: Echo, client: Connect
) -> None:
    context.deadline.set(time.monotonic())
    call = client().stream_stream(f"/{SERVICE}/StreamStream", bytes, bytes)()

    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"1")
    code = await call.code()

    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_work_outside_of_the_call_has_no_deadline(echo: Echo, client: Connect) -> None:
    outside = copy_context()
    context.deadline.set(time.monotonic() - 1)
    channel = client()

    task = asyncio.create_task(_call(channel), context=outside)

    assert await task == [b"a:1"]


async def _call(channel: grpc.aio.Channel) -> list[bytes]:
    return await KINDS["UnaryUnary"](channel)


@every_kind
async def test_a_deadline_crosses_two_hops(echo: Echo, client: Connect, kind: Kind) -> None:
    """Outer client, a service in the middle that calls on, and the echo behind it."""
    channel = client(
        authorization=forward_authorization,
        default_deadline_seconds=2000,
        deadline_margin_seconds=50,
    )

    async def call_on(call: Any) -> None:
        enter_call(call)
        await kind(channel)

    async with (
        serving(Echo("front", before=call_on)) as front,
        connect(front.target, ClientOptions(authorization=bearer("t"))) as outer,
    ):
        await kind(outer, timeout=500)

    middle, last = front.seen[0], echo.seen[0]
    assert last.metadata["x-request-id"] == middle.metadata["x-request-id"]
    assert last.metadata["authorization"] == "Bearer t"
    assert middle.remaining is not None
    assert _has_left(last, middle.remaining - 50, middle.begun)


@every_kind
async def test_the_end_of_a_deadline_ends_the_call_behind(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    """The one in the middle still has its margin to say so in its own words."""
    for attempt in attempts(0.3, 3, 30):
        with attempt:
            await _end_behind(echo, client(deadline_margin_seconds=attempt.seconds), kind, attempt)


async def _end_behind(echo: Echo, channel: grpc.aio.Channel, kind: Kind, attempt: Attempt) -> None:
    echo.wait = asyncio.Event()
    codes: list[grpc.StatusCode] = []

    async def call_on(call: Any) -> None:
        enter_call(call)
        try:
            await kind(channel)
        except grpc.aio.AioRpcError as error:
            codes.append(error.code())
            await call.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the one behind was too slow")

    async with (
        serving(Echo("front", before=call_on)) as front,
        connect(front.target) as outer,
    ):
        error = await failure(kind(outer, timeout=2 * attempt.seconds))

    assert codes == [grpc.StatusCode.DEADLINE_EXCEEDED]
    assert error.details() == "the one behind was too slow"


@every_kind
async def test_a_caller_that_goes_away_ends_the_call_behind(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    echo.wait = asyncio.Event()
    channel = client()

    async def call_on(call: Any) -> None:
        enter_call(call)
        await kind(channel)

    async def reached() -> bool:
        return bool(echo.seen)

    async def ended() -> bool:
        return echo.cancelled == 1

    async with serving(Echo("front", before=call_on)) as front, connect(front.target) as outer:
        task = asyncio.ensure_future(kind(outer))
        await until(reached)
        task.cancel()
        await until(ended)
