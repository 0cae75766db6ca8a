"""Each interceptor alone, around a tiny service with one method of every kind."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from user_service.domain import DomainError, EmailTaken, InvalidArgument, UserNotFound
from user_service.interceptors.errors import STATUS_CODES, translate_errors
from user_service.interceptors.guard import Guard, GuardInterceptor
from user_service.interceptors.instance import name_instance
from user_service.interceptors.logging import log_calls

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream", "written")


class Echo(grpc.GenericRpcHandler):
    """Echoes bytes by every kind of method; `fail` is called after the first request."""

    def __init__(self, fail: Callable[[Any], Any]) -> None:
        self._fail = fail

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        kind = handler_call_details.method.rpartition("/")[2]
        if kind == "written":
            return grpc.unary_stream_rpc_method_handler(self.written)
        make = getattr(grpc, f"{kind}_rpc_method_handler", None)
        return make and make(getattr(self, kind))

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        await self._fail(context)
        return request

    async def unary_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        await self._fail(context)
        yield request

    async def stream_unary(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        received = [request async for request in requests]
        await self._fail(context)
        return b"".join(received)

    async def stream_stream(
        self, requests: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            await self._fail(context)
            yield request

    async def written(self, request: bytes, context: Any) -> None:
        await self._fail(context)
        await context.write(request)


async def succeed(_: Any) -> None:
    """Let the echo go on."""


def failing(error: Exception) -> Callable[[Any], Any]:
    async def fail(_: Any) -> None:
        raise error

    return fail


@asynccontextmanager
async def echo(guard: Guard, fail: Callable[[Any], Any]) -> AsyncIterator[Any]:
    server = grpc.aio.server(interceptors=[GuardInterceptor(guard)])
    server.add_generic_rpc_handlers((Echo(fail),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def call(channel: Any, kind: str) -> Any:
    """Send b"x" to one method and return everything it answers."""
    method = f"/test.Echo/{kind}"
    if kind == "unary_unary":
        return await channel.unary_unary(method)(b"x")
    if kind == "stream_unary":
        return await channel.stream_unary(method)(iter([b"x"]))
    if kind == "stream_stream":
        responses = channel.stream_stream(method)(iter([b"x"]))
        return b"".join([response async for response in responses])
    return b"".join([response async for response in channel.unary_stream(method)(b"x")])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_guard_runs_once_around_every_kind_of_call(kind: str) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def guard(method: str, _: Any) -> AsyncIterator[None]:
        events.append(f"before {method}")
        yield
        events.append("after")

    async with echo(guard, succeed) as channel:
        assert await call(channel, kind) == b"x"

    assert events == [f"before /test.Echo/{kind}", "after"]


async def test_an_unknown_method_stays_unimplemented() -> None:
    async with echo(translate_errors, succeed) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Echo/other")(b"x")

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidArgument("name: is bad"), grpc.StatusCode.INVALID_ARGUMENT),
        (UserNotFound("id: unknown"), grpc.StatusCode.NOT_FOUND),
        (EmailTaken("email: taken"), grpc.StatusCode.ALREADY_EXISTS),
    ],
)
async def test_a_domain_error_becomes_its_status(
    kind: str, error: DomainError, code: grpc.StatusCode
) -> None:
    async with echo(translate_errors, failing(error)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, kind)

    assert (caught.value.code(), caught.value.details()) == (code, str(error))


def test_every_domain_error_has_a_status() -> None:
    assert set(DomainError.__subclasses__()) == set(STATUS_CODES)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unforeseen_error_is_logged_and_its_text_kept_from_the_caller(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with echo(translate_errors, failing(RuntimeError("secret"))) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, kind)

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == "internal error; see the server's log"
    assert "RuntimeError: secret" in caplog.text
    assert f"/test.Echo/{kind}" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_the_handler_aborts_keeps_its_status_and_is_no_failure(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def abort(context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "later")

    async with echo(translate_errors, abort) as channel:
        with pytest.raises(grpc.aio.AioRpcError, match="later") as caught:
            await call(channel, kind)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "failed" not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_is_logged_with_its_code(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async def abort(context: Any) -> None:
        await context.abort(grpc.StatusCode.NOT_FOUND, "private")

    with caplog.at_level(logging.INFO, "user_service"):
        async with echo(log_calls, succeed) as channel:
            await call(channel, kind)
        async with echo(log_calls, abort) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await call(channel, kind)

    lines = [r.getMessage() for r in caplog.records if r.name.startswith("user_service")]
    assert lines[0].startswith(f"method=/test.Echo/{kind} code=OK ms=")
    assert lines[1].startswith(f"method=/test.Echo/{kind} code=NOT_FOUND ms=")
    assert "private" not in "".join(lines)


async def test_a_call_the_client_gives_up_is_logged_as_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = asyncio.Event()

    async def hang(_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    channel: Any
    with caplog.at_level(logging.INFO, "user_service"):
        async with asyncio.timeout(20), echo(log_calls, hang) as channel:
            for method in (
                channel.unary_unary("/test.Echo/unary_unary"),
                channel.unary_stream("/test.Echo/unary_stream"),
            ):
                started.clear()
                running = method(b"x")
                await started.wait()
                running.cancel()
                while "code=CANCELLED" not in caplog.text:  # noqa: ASYNC110 a log has no event
                    await asyncio.sleep(0.01)
                caplog.clear()


async def test_the_instance_is_named_before_the_first_answer() -> None:
    async with echo(name_instance("pod-7"), succeed) as channel:
        unary = channel.unary_unary("/test.Echo/unary_unary")(b"x")
        assert ("x-instance", "pod-7") in tuple(await unary.initial_metadata())
        stream = channel.stream_stream("/test.Echo/stream_stream")()
        assert ("x-instance", "pod-7") in tuple(await stream.initial_metadata())
        stream.cancel()
