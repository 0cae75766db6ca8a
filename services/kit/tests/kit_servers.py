"""A servicer with every kind of method, and real servers of the kit around it on free ports."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from grpc_service_kit import Interceptor, Server, ServerConfig, Service, build_server
from grpc_service_kit.health import Check
from grpc_service_kit.testing.polling import TIMEOUT

NAME = "test.v1.Echo"
KINDS = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream", "Written", "Read")
"""Methods of the servicer: all kinds, and the two styles in which streams can be written."""
STREAM_REQUESTS = ("StreamUnary", "StreamStream", "Read")
STREAM_RESPONSES = ("UnaryStream", "StreamStream", "Written", "Read")
"""Seconds after which something that should have happened counts as a failure."""

Act = Callable[[Any, Any], Any]
"""Awaited by every method with the first request and the context."""


async def succeed(_request: Any, _context: Any) -> None:
    """Let the echo go on."""


@dataclass
class EchoServicer:
    """Sends back what it gets; `act` is awaited for each request."""

    act: Act = succeed
    ended: list[str] = field(default_factory=list)
    """The methods whose handlers have ended, in whichever way."""

    async def UnaryUnary(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer once."""
        try:
            await self.act(request, context)
            return request
        finally:
            self.ended.append("UnaryUnary")

    async def UnaryStream(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Answer three times, as a generator."""
        try:
            for _ in range(3):
                await self.act(request, context)
                yield request
        finally:
            self.ended.append("UnaryStream")

    async def StreamUnary(self, requests: Any, context: Any) -> Any:  # noqa: N802
        """Answer once the client has closed its side."""
        received = []
        async for request in requests:
            await self.act(request, context)
            received.append(request.value)
        return StringValue(value=",".join(received))

    async def StreamStream(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Answer every request, as a generator."""
        try:
            async for request in requests:
                await self.act(request, context)
                yield request
        finally:
            self.ended.append("StreamStream")

    async def Written(self, request: Any, context: Any) -> None:  # noqa: N802
        """Answer three times, by writing."""
        try:
            for _ in range(3):
                await self.act(request, context)
                await context.write(request)
        finally:
            self.ended.append("Written")

    async def Read(self, _requests: Any, context: Any) -> None:  # noqa: N802
        """Answer every request, by reading and writing."""
        while (request := await context.read()) is not grpc.aio.EOF:
            await self.act(request, context)
            await context.write(request)


def add_echo(servicer: Any, server: Any, request_type: Any = StringValue, name: str = NAME) -> None:
    """Register the servicer as generated code does."""
    makers = {
        "UnaryUnary": grpc.unary_unary_rpc_method_handler,
        "UnaryStream": grpc.unary_stream_rpc_method_handler,
        "Written": grpc.unary_stream_rpc_method_handler,
        "StreamUnary": grpc.stream_unary_rpc_method_handler,
        "StreamStream": grpc.stream_stream_rpc_method_handler,
        "Read": grpc.stream_stream_rpc_method_handler,
    }
    handlers: dict[str, Any] = {
        kind: make(
            getattr(servicer, kind),
            request_deserializer=request_type.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        for kind, make in makers.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    server.add_registered_method_handlers(name, handlers)


def config(**settings: Any) -> ServerConfig:
    """Return a configuration for tests: free ports, short waits."""
    defaults = {
        "port": 0,
        "metrics_port": None,
        "drain_seconds": 4.0,
        "lame_duck_seconds": 0.0,
        "health_check_seconds": 0.05,
    }
    return ServerConfig(**{**defaults, **settings})


@asynccontextmanager
async def serving(
    servicer: Any,
    settings: ServerConfig | None = None,
    *interceptors: Interceptor,
    check: Check | None = None,
    add: Callable[[Any, Any], None] = add_echo,
) -> AsyncIterator[Server]:
    """Run a server with a registry of its own."""
    server = build_server(
        settings or config(),
        Service(add, servicer, check),
        interceptors=interceptors,
        registry=CollectorRegistry(),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def calling(
    servicer: Any, settings: ServerConfig | None = None, **options: Any
) -> AsyncIterator[grpc.aio.Channel]:
    """Run a server and yield a channel to it."""
    async with serving(servicer, settings, **options) as server, channel_to(server) as channel:
        yield channel


class HasPort(Protocol):
    """Something that can be connected to."""

    port: int


class Connection:
    """A port that passes bytes on to another one, and can break off as a dead network does."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator["Connection"]:
        """Listen on a free port."""
        connection = cls()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            connection._writers += [writer, back]
            await asyncio.gather(_pump(reader, back), _pump(there, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with server:
            connection.port = server.sockets[0].getsockname()[1]
            yield connection
            connection.abort()

    def abort(self) -> None:
        """Break off: both sides get a reset."""
        for writer in self._writers:
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def channel_to(server: HasPort, **arguments: int) -> grpc.aio.Channel:
    """Return a channel; channel arguments are given without `grpc.`."""
    options = [(f"grpc.{name}", value) for name, value in arguments.items()]
    return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=options)


def begin(
    channel: grpc.aio.Channel, kind: str, *values: str, service: str = NAME, **options: Any
) -> Any:
    """Begin a call of one kind, and close the client's side."""
    path = f"/{service}/{kind}"
    requests = [StringValue(value=value) for value in values or ("x",)]
    serialize, parse = StringValue.SerializeToString, StringValue.FromString
    if kind in STREAM_REQUESTS:
        make = channel.stream_stream if kind in STREAM_RESPONSES else channel.stream_unary
        return make(path, serialize, parse)(iter(requests), **options)
    make_one = channel.unary_stream if kind in STREAM_RESPONSES else channel.unary_unary
    return make_one(path, serialize, parse)(requests[0], **options)


async def answers(call: Any, kind: str) -> list[str]:
    """Return the values that a call answers."""
    if kind in STREAM_RESPONSES:
        return [response.value async for response in call]
    return [(await call).value]


async def ask(channel: grpc.aio.Channel, kind: str, *values: str, **options: Any) -> list[str]:
    """Make a call and return the values that it answers."""
    return await answers(begin(channel, kind, *values, **options), kind)


async def failure(
    channel: grpc.aio.Channel, kind: str, *values: str, **options: Any
) -> grpc.aio.AioRpcError:
    """Make a call that must fail; return its error."""
    for _ in range(50):
        try:
            answer = await ask(channel, kind, *values, **options)
        except grpc.aio.AioRpcError as error:
            # Of a call that the server ends while a request is being sent, the client of grpc.aio
            # sometimes forgets the status.
            if error.details() != "Internal error from Core":
                return error
        else:
            raise AssertionError(f"{kind} answered {answer}")
    raise AssertionError(f"{kind}: no status in 50 calls")


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110 what servers see has no event
            await asyncio.sleep(0.01)
