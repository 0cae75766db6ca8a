"""Calls of the server that is checked, in bytes: no stub is needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto, MethodOptions

from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.live.target import NotCheckedError, Target
from grpc_operator.cli.lint.proto_mistakes import READS

_INFRASTRUCTURE = ("grpc.health.", "grpc.reflection.", "grpc.channelz.")
_MOST_METHODS = 20

Reply = tuple[grpc.StatusCode, str]
"""How a call ended: its code, and the message of the server."""


@dataclass(frozen=True)
class Method:
    """A method that the server has.

    Attributes:
        service: Full name of its service.
        proto: The method.
        file: The .proto file.
    """

    service: str
    proto: MethodDescriptorProto
    file: str

    @property
    def path(self) -> str:
        """Path of its calls."""
        return f"/{self.service}/{self.proto.name}"

    @property
    def reads(self) -> bool:
        """Whether a call of it changes nothing, by its declaration or by its name."""
        level = self.proto.options.idempotency_level
        if level == MethodOptions.IDEMPOTENCY_UNKNOWN:
            return READS.match(self.proto.name) is not None
        return level == MethodOptions.NO_SIDE_EFFECTS


@dataclass(frozen=True)
class Server:
    """The server that is checked.

    Attributes:
        target: How.
        channel: To it.
        data: Its serialised FileDescriptorSet; ``None`` if nobody has it.
    """

    target: Target
    channel: grpc.aio.Channel
    data: bytes | None

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """The methods of its own services.

        Raises:
            NotCheckedError: They are not known.
        """
        if self.data is None:
            raise NotCheckedError("needs reflection, or --descriptor, to know the methods")
        return tuple(
            Method(f"{file.package}.{service.name}".removeprefix("."), method, file.name)
            for file in FileDescriptorSet.FromString(self.data).file
            for service in file.service
            for method in service.method
            if not f"{file.package}.".startswith(_INFRASTRUCTURE)
        )

    def reading(self, *, streams: bool = False) -> tuple[Method, ...]:
        """Returns methods that may be called: unary ones, or server streams; not very many.

        Raises:
            NotCheckedError: There is none.
        """
        found = tuple(
            each
            for each in self.methods
            if each.reads
            and not each.proto.client_streaming
            and each.proto.server_streaming == streams
        )[:_MOST_METHODS]
        if not found:
            kind = "server stream" if streams else "unary method"
            raise NotCheckedError(f"the server has no {kind} that is known to change nothing")
        return found

    async def call(self, path: str, request: bytes = b"", within: float | None = None) -> Reply:
        """Makes a unary call.

        Args:
            path: ``/SERVICE/METHOD``.
            request: The message; an empty one has no field set.
            within: Deadline in seconds; most of the time of a check when unset.
        """
        call: Any = self.channel.unary_unary(path)
        try:
            await call(request, timeout=within or self.longest)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""

    @property
    def longest(self) -> float:
        """Seconds that calls may take, so that a check can report those that take longer."""
        return self.target.timeout * 0.7

    async def replies(self) -> list[tuple[Method, Reply]]:
        """Calls every unary method that reads, all at once, with an empty request.

        Raises:
            NotCheckedError: There is none.
        """
        methods = self.reading()
        found = await asyncio.gather(*(self.call(each.path) for each in methods))
        return list(zip(methods, found, strict=True))

    def stream(self, path: str) -> Any:
        """Opens a stream of responses (``grpc.aio.UnaryStreamCall``) to an empty request."""
        call: Any = self.channel.unary_stream(path)
        return call(b"")

    def finding(self, code: str, message: str, fix: str, field: str = "") -> Finding:
        """Returns a finding about the server."""
        return Finding(Place(self.target.address, field=field), code, message, fix)


@asynccontextmanager
async def connected(target: Target, data: bytes | None) -> AsyncIterator[Server]:
    """Provides the server.

    Raises:
        NotCheckedError: Nobody answers there.
    """
    options = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 1 << 24))
    async with grpc.aio.insecure_channel(target.address, options=options) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), target.timeout)
        except TimeoutError:
            text = f"nothing at {target.address} speaks gRPC without TLS"
            raise NotCheckedError(text) from None
        yield Server(target, channel, data)
