"""What happens to calls on the way: cancel, deadline, half-close, flow control, limits."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from grpc_service_kit import Call, context
from grpc_service_kit.testing.polling import TIMEOUT, attempts
from kit_servers import (
    KINDS,
    NAME,
    Act,
    Connection,
    EchoServicer,
    answers,
    ask,
    begin,
    calling,
    channel_to,
    config,
    eventually,
    failure,
    serving,
)

UNKNOWN = grpc.StatusCode.UNKNOWN
"""What a call has until it has ended."""

every_kind = pytest.mark.parametrize("kind", KINDS)


class Recorder:
    """An interceptor that keeps every call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __call__(self, _method: Any, proceed: Any) -> Any:
        """Be the interceptor."""

        async def call(call: Call, request: Any) -> Any:
            self.calls.append(call)
            return await proceed(call, request)

        return call


def hanging(started: asyncio.Event, cancelled: list[str]) -> Act:
    async def act(_request: Any, _context: Any) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("cancelled")
            raise

    return act


@every_kind
async def test_a_call_the_client_gives_up_ends_at_once(kind: str) -> None:
    started, cancelled, recorder = asyncio.Event(), list[str](), Recorder()
    async with (
        serving(EchoServicer(hanging(started, cancelled)), None, recorder) as server,
        channel_to(server) as channel,
    ):
        call = begin(channel, kind)
        waiting = asyncio.ensure_future(answers(call, kind))
        await asyncio.wait_for(started.wait(), TIMEOUT)
        call.cancel()
        await eventually(lambda: recorder.calls[0].code is grpc.StatusCode.CANCELLED)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert cancelled == ["cancelled"]


@every_kind
async def test_a_deadline_ends_the_handler_too(kind: str) -> None:
    started, cancelled, recorder = asyncio.Event(), list[str](), Recorder()
    async with serving(EchoServicer(hanging(started, cancelled)), None, recorder) as server:
        async with channel_to(server) as channel:
            for attempt in attempts(0.3, 3, 30):
                with attempt:
                    caught = await failure(channel, kind, timeout=attempt.seconds)
                    assert started.is_set()
        await eventually(lambda: cancelled)
        await eventually(lambda: recorder.calls[-1].code is not None)

    assert caught.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert recorder.calls[-1].code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert set(cancelled) == {"cancelled"}


@pytest.mark.parametrize("kind", ["UnaryStream", "Written", "StreamStream"])
async def test_a_stream_that_is_cancelled_in_the_middle_closes_its_handler(kind: str) -> None:
    servicer = EchoServicer()
    async with serving(servicer) as server, channel_to(server) as channel:
        # The handler waits in `write`, as nobody reads: 3 x 100 kB do not fit into the window.
        call = begin(channel, kind, *["x" * 100_000] * 30)
        await call.read()
        call.cancel()
        await eventually(lambda: servicer.ended)

    assert servicer.ended == [kind]


async def test_a_unary_call_without_deadline_gets_the_servers() -> None:
    started, cancelled = asyncio.Event(), list[str]()
    servicer = EchoServicer(hanging(started, cancelled))
    async with calling(servicer, config(default_deadline_seconds=0.1)) as channel:
        stream = begin(channel, "UnaryStream")
        await asyncio.wait_for(started.wait(), TIMEOUT)
        caught = await failure(channel, "UnaryUnary")
        assert not stream.done()
        stream.cancel()

    assert caught.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "set a deadline" in str(caught.details())
    assert "cancelled" in cancelled


async def test_a_timeout_of_the_handlers_own_is_no_deadline(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act(_request: Any, _context: Any) -> None:
        raise TimeoutError

    async with calling(EchoServicer(act), config(default_deadline_seconds=TIMEOUT)) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert caught.code() is grpc.StatusCode.INTERNAL


@every_kind
async def test_the_handler_knows_the_deadline(kind: str) -> None:
    """It is the time of sending and the timeout together, which gRPC rounds up by up to 2 %."""
    seen: list[tuple[float, float | None]] = []

    async def act(_request: Any, _context: Any) -> None:
        seen.append((time.monotonic(), context.deadline.get()))

    async with calling(EchoServicer(act), config(default_deadline_seconds=None)) as channel:
        sent = time.monotonic()
        await ask(channel, kind, timeout=300)
        begun, deadline = seen[0]
        await ask(channel, kind)

    assert deadline is not None
    assert sent + 299 < deadline < begun + 306
    assert seen[-1][1] is None


async def test_a_call_that_waited_past_its_deadline_is_not_begun() -> None:
    """A server that lags must not spend its time on answers nobody waits for."""
    begun: list[str] = []

    async def act(request: Any, _context: Any) -> None:
        begun.append(request.value)

    async with calling(EchoServicer(act)) as channel:
        await ask(channel, "UnaryUnary", "first")
        late = asyncio.ensure_future(failure(channel, "UnaryUnary", "late", timeout=0.2))
        await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251 the event loop of the server is what lags
        caught = await late

    assert caught.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert begun == ["first"]


@pytest.mark.parametrize("kind", ["StreamUnary", "StreamStream", "Read"])
async def test_half_close_ends_the_requests_and_not_the_call(kind: str) -> None:
    async with calling(EchoServicer()) as channel:
        path = f"/{NAME}/{kind}"
        serialize, parse = StringValue.SerializeToString, StringValue.FromString
        if kind == "StreamUnary":
            unary: Any = channel.stream_unary(path, serialize, parse)()
            await unary.write(StringValue(value="a"))
            await unary.write(StringValue(value="b"))
            await unary.done_writing()
            assert (await unary).value == "a,b"
            return
        call: Any = channel.stream_stream(path, serialize, parse)()
        await call.write(StringValue(value="a"))
        assert (await call.read()).value == "a"
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("kind", ["UnaryStream", "Written"])
async def test_a_slow_reader_holds_back_the_handler(kind: str) -> None:
    written = 0

    class Servicer(EchoServicer):
        async def UnaryStream(self, request: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802
            nonlocal written
            for _ in range(1000):
                yield request
                written += 1

        async def Written(self, request: Any, context: Any) -> None:  # noqa: N802
            nonlocal written
            for _ in range(1000):
                await context.write(request)
                written += 1

    async with calling(Servicer()) as channel:
        call = begin(channel, kind, "x" * 100_000)
        await call.read()
        before = -1
        while written != before:  # Until it stands still.
            before = written
            await asyncio.sleep(0.3)
        assert written < 500
        count = 1
        while await call.read() is not grpc.aio.EOF:
            count += 1

    assert count == written == 1000


@every_kind
async def test_large_messages_within_the_limit_pass(kind: str) -> None:
    value = "x" * 3_000_000
    async with serving(EchoServicer()) as server, channel_to(server) as channel:
        assert set(await ask(channel, kind, value)) == {value}


@every_kind
async def test_messages_above_the_limit_are_refused(kind: str) -> None:
    servicer = EchoServicer()
    async with (
        serving(servicer, config(max_message_bytes=10_000)) as server,
        channel_to(server) as channel,
    ):
        caught = await failure(channel, kind, "x" * 20_000)
        assert set(await ask(channel, kind, "small")) == {"small"}

    assert caught.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_metadata_above_the_limit_is_refused_and_the_connection_stays() -> None:
    async with calling(EchoServicer(), config(max_metadata_bytes=4096)) as channel:
        caught = await failure(channel, "UnaryUnary", metadata=[("x-large", "v" * 5000)])
        assert await ask(channel, "UnaryUnary", metadata=[("x-fits", "v" * 3000)]) == ["x"]

    assert caught.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_connection_that_breaks_is_no_end_of_the_requests() -> None:
    """A handler that stores a batch at its end must not take half of it for the whole."""
    complete: list[str] = []

    class Servicer(EchoServicer):
        async def StreamUnary(self, requests: Any, _context: Any) -> Any:  # noqa: N802
            complete.extend([request.value async for request in requests])
            return StringValue()

    recorder = Recorder()
    async with (
        serving(Servicer(), None, recorder) as server,
        Connection.to(server.port) as connection,
        channel_to(connection) as channel,
    ):
        calls: list[Any] = [
            channel.stream_unary(f"/{NAME}/StreamUnary", StringValue.SerializeToString)()
            for _ in range(20)
        ]
        for call in calls:
            await call.write(StringValue(value="a"))
        await eventually(lambda: len(recorder.calls) == len(calls))
        connection.abort()
        await eventually(lambda: all(c.code is not UNKNOWN for c in recorder.calls))

    assert {call.code for call in recorder.calls} == {grpc.StatusCode.CANCELLED}
    assert complete == []


@every_kind
async def test_a_client_whose_connection_breaks_ends_its_calls(kind: str) -> None:
    started, cancelled, recorder = asyncio.Event(), list[str](), Recorder()
    async with (
        serving(EchoServicer(hanging(started, cancelled)), None, recorder) as server,
        Connection.to(server.port) as connection,
        channel_to(connection) as channel,
    ):
        failing = asyncio.ensure_future(failure(channel, kind))
        await started.wait()
        connection.abort()
        await eventually(lambda: recorder.calls[0].code is grpc.StatusCode.CANCELLED)
        assert (await failing).code() is grpc.StatusCode.UNAVAILABLE

    assert cancelled == ["cancelled"]
