"""What stands behind the gateway: the user service as a process, and servers with a fault."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from bench import h2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor

from tests import user_process
from tests.envoy.upstream import AnyMethod
from tests.waiting import until
from user.v1 import user_pb2

_SERVING = re.compile(r"serving on port (\d+)")


def user_descriptor() -> bytes:
    """Returns the FileDescriptorSet of user.proto with its imports."""
    found: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        for imported in file.dependencies:
            visit(imported)
        found.setdefault(file.name, file)

    visit(user_pb2.DESCRIPTOR)
    files = descriptor_pb2.FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(files.file.add())
    return files.SerializeToString()


@asynccontextmanager
async def user_service() -> AsyncIterator[int]:
    """Runs ``python -m user_service`` with an empty database; yields its port."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *user_process.COMMAND,
                env=user_process.environment(Path(folder) / "users.db"),
                stderr=output,
            )

        async def port() -> int:
            assert process.returncode is None, log.read_text()
            serving = _SERVING.search(log.read_text())
            return int(serving[1]) if serving else 0

        try:
            yield await until(port, "the user service serves")
        finally:
            process.terminate()
            await process.wait()


class Silent(AnyMethod):
    """Never answers a unary call."""

    def __init__(self) -> None:
        async def answer(_: bytes, _context: Any) -> bytes:
            await asyncio.Event().wait()
            return b""

        super().__init__(answer)


class Metadata(AnyMethod):
    """Notes the metadata of every call, and answers with an empty message."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

        async def answer(_: bytes, context: Any) -> bytes:
            self.seen.append(dict(context.invocation_metadata()))
            return b""

        super().__init__(answer)


class Failing(AnyMethod):
    """Ends every call with the status that the call's ``x-fail`` header names."""

    def __init__(self) -> None:
        async def answer(_: bytes, context: Any) -> bytes:
            code = dict(context.invocation_metadata())["x-fail"]
            await context.abort(grpc.StatusCode[code], f"it is {code}")
            return b""

        super().__init__(answer)


class PausedStream(grpc.GenericRpcHandler):
    """Streams one message, and a second one when a test lets it."""

    def __init__(self, first: bytes, second: bytes) -> None:
        self.go_on = asyncio.Event()

        async def answer(_: Any, _context: Any) -> AsyncIterator[bytes]:
            yield first
            await self.go_on.wait()
            yield second

        self._handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            answer
        )

    def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the same handler for each method."""
        return self._handler


class Recorder(grpc.GenericRpcHandler):
    """Notes every message of every call, of any kind, and answers each with an empty one.

    Attributes:
        seen: The messages of each call that has ended, by its ``x-call`` header.
    """

    def __init__(self) -> None:
        self.seen: dict[str, list[bytes]] = {}

        async def answer(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            call = dict(context.invocation_metadata()).get("x-call", "")
            messages = [message async for message in requests]
            self.seen[call] = messages
            for _ in messages:
                yield b""

        self._handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            answer
        )

    def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the same handler for each method."""
        return self._handler


class AnyStream(grpc.GenericRpcHandler):
    """Reads all messages of a call of any kind, then answers with an empty one."""

    def __init__(self) -> None:
        async def answer(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
            async for _ in requests:
                pass
            yield b""

        self._handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            answer
        )

    def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the same handler for each method."""
        return self._handler


_FRAME_HEADERS, _FRAME_RST_STREAM, _FRAME_SETTINGS = 1, 3, 4
_END = 0x5
"""END_STREAM and END_HEADERS (RFC 9113 6.2)."""


Answer = Callable[[int], bytes]
"""Returns the frames that answer the request of a stream."""

REFUSED_STREAM, INTERNAL_ERROR = 7, 2
"""Error codes of HTTP/2 (RFC 9113, 7)."""


@asynccontextmanager
async def plain_http2(status: int) -> AsyncIterator[int]:
    """Answers every HTTP/2 request with a status and nothing else; yields its port."""
    # A literal field without indexing whose name is entry 8 of the static table (RFC 7541).
    block = bytes([0x08, 3]) + str(status).encode()
    async with _http2(lambda stream: _frame(_FRAME_HEADERS, _END, stream, block)) as port:
        yield port


@asynccontextmanager
async def ending_http2(status: str) -> AsyncIterator[int]:
    """Ends every gRPC call with any text for a status; yields its port."""
    words = {"content-type": "application/grpc", "grpc-status": status}
    block = h2.STATUS_200 + h2.headers(words)
    async with _http2(lambda stream: _frame(_FRAME_HEADERS, _END, stream, block)) as port:
        yield port


@asynccontextmanager
async def resetting_http2(code: int) -> AsyncIterator[tuple[int, list[int]]]:
    """Resets every HTTP/2 stream with an error code; yields its port, and the streams it had."""
    streams: list[int] = []

    def answer(stream: int) -> bytes:
        streams.append(stream)
        return _frame(_FRAME_RST_STREAM, 0, stream, code.to_bytes(4))

    async with _http2(answer) as port:
        yield port, streams


@asynccontextmanager
async def _http2(answer: Answer) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        writer.write(_frame(_FRAME_SETTINGS, 0, 0, b""))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(9)
                await reader.readexactly(int.from_bytes(head[:3]))
                if head[3] == _FRAME_SETTINGS and not head[4]:
                    writer.write(_frame(_FRAME_SETTINGS, 1, 0, b""))
                if head[3] == _FRAME_HEADERS:
                    writer.write(answer(int.from_bytes(head[5:])))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + content
