"""Real servers for the tests of the client: an echo of every kind of call."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from grpc_service_kit import context

SERVICE = "test.v1.Echo"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

Options = Sequence[tuple[str, Any]]


@dataclass
class Seen:
    """One call as a server saw it."""

    method: str
    metadata: dict[str, str]
    begun: float
    """The time.monotonic() at which the server began it."""
    remaining: float | None
    """The seconds that the call had left then; None without a deadline."""
    peer: str


@dataclass
class Echo:
    """Answers every request with its own name, after `failures` failed calls."""

    name: str
    port: int = 0
    host: str = "127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    failures: list[grpc.StatusCode] = field(default_factory=list)
    wait: asyncio.Event | None = None
    cancelled: int = 0
    before: Callable[[Any], Awaitable[None]] | None = None
    health: Any = field(default_factory=health_aio.HealthServicer)

    @property
    def target(self) -> str:
        return f"ipv4:{self.host}:{self.port}"

    def handlers(self) -> dict[str, Any]:
        async def unary_unary(request: bytes, call: Any) -> bytes:
            await self._enter("UnaryUnary", call)
            return self._answer(request)

        async def unary_stream(request: bytes, call: Any) -> AsyncIterator[bytes]:
            await self._enter("UnaryStream", call)
            for _ in range(3):
                yield self._answer(request)

        async def stream_unary(requests: AsyncIterator[bytes], call: Any) -> bytes:
            await self._enter("StreamUnary", call)
            return self._answer(b"".join([request async for request in requests]))

        async def stream_stream(requests: AsyncIterator[bytes], call: Any) -> AsyncIterator[bytes]:
            await self._enter("StreamStream", call)
            async for request in requests:
                yield self._answer(request)

        return {
            "UnaryUnary": grpc.unary_unary_rpc_method_handler(unary_unary),
            "UnaryStream": grpc.unary_stream_rpc_method_handler(unary_stream),
            "StreamUnary": grpc.stream_unary_rpc_method_handler(stream_unary),
            "StreamStream": grpc.stream_stream_rpc_method_handler(stream_stream),
        }

    def _answer(self, request: bytes) -> bytes:
        return self.name.encode() + b":" + request[:16]

    async def _enter(self, method: str, call: Any) -> None:
        metadata = dict(call.invocation_metadata())
        self.seen.append(
            Seen(method, metadata, time.monotonic(), call.time_remaining(), call.peer())
        )
        if self.failures:
            await call.abort(self.failures.pop(0), "as the test asks for it")
        try:
            if self.wait is not None:
                await self.wait.wait()
            if self.before is not None:
                await self.before(call)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@asynccontextmanager
async def serving(
    echo: Echo, options: Options = (), credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[Echo]:
    """Serve on `echo.port`, or on a free port that it then names."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *options])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, echo.handlers()),)
    )
    await echo.health.set(SERVICE, SERVING)
    add_HealthServicer_to_server(echo.health, server)
    address = f"{echo.host}:{echo.port}"
    if credentials is None:
        echo.port = server.add_insecure_port(address)
    else:
        echo.port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield echo
    finally:
        await server.stop(0)


def enter_call(call: Any) -> None:
    """Set the context variables of a call being served, as the kit's server does."""
    metadata = dict(call.invocation_metadata())
    remaining = call.time_remaining()
    context.deadline.set(None if remaining is None else time.monotonic() + remaining)
    context.request_id.set(metadata.get("x-request-id"))
    context.authorization.set(metadata.get("authorization"))


async def unary_unary(channel: grpc.aio.Channel, **options: Any) -> list[bytes]:
    return [await _method(channel.unary_unary, "UnaryUnary")(b"1", **options)]


async def unary_stream(channel: grpc.aio.Channel, **options: Any) -> list[bytes]:
    call = _method(channel.unary_stream, "UnaryStream")(b"1", **options)
    return [answer async for answer in call]


async def stream_unary(channel: grpc.aio.Channel, **options: Any) -> list[bytes]:
    return [await _method(channel.stream_unary, "StreamUnary")(_requests(), **options)]


async def stream_stream(channel: grpc.aio.Channel, **options: Any) -> list[bytes]:
    call = _method(channel.stream_stream, "StreamStream")(_requests(), **options)
    return [answer async for answer in call]


def begin_stream(channel: grpc.aio.Channel) -> Any:
    """Return a call that runs until it is ended."""
    return _method(channel.stream_stream, "StreamStream")()


Kind = Callable[..., Awaitable[list[bytes]]]
Connect = Callable[..., grpc.aio.Channel]

KINDS: dict[str, Kind] = {
    "UnaryUnary": unary_unary,
    "UnaryStream": unary_stream,
    "StreamUnary": stream_unary,
    "StreamStream": stream_stream,
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


async def _requests() -> AsyncIterator[bytes]:
    for request in (b"1", b"2"):
        yield request


def _method(factory: Callable[..., Any], name: str) -> Any:
    return factory(f"/{SERVICE}/{name}", None, None)


async def failure(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """Return the error that the call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value
