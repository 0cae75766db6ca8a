"""Calls as clients make them: HTTP/1.1 with JSON, gRPC-Web framed by hand, and gRPC.

Every call returns an outcome and raises nothing for an error status, so that the same expectation
can be put to each protocol.
"""

import base64
import json
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import aiohttp
import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from multidict import CIMultiDict

from tests.waiting import HANG

_TRAILERS = 0x80
"""Flag of the gRPC-Web frame that carries the trailers (gRPC-Web protocol document)."""

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
"""Headers of a request; a sequence may have one several times."""


@dataclass(frozen=True)
class HttpReply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class GrpcReply:
    """The outcome of a gRPC or gRPC-Web call.

    Attributes:
        code: gRPC status code number.
        message: gRPC status message.
        messages: Serialised messages that arrived before the status.
        headers: Initial metadata; for gRPC-Web all HTTP headers.
        trailers: Trailing metadata.
    """

    code: int
    message: str
    messages: tuple[bytes, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    trailers: Mapping[str, str] = field(default_factory=dict)


Body = bytes | AsyncIterator[bytes] | None
"""Pieces of an iterator are sent as chunks, each when it is there."""


async def http(
    port: int, method: str, path: str, *, body: Body = None, headers: Headers | None = None
) -> HttpReply:
    """Makes one HTTP/1.1 request to loopback; ``headers`` may set ``Host``."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method,
            f"http://127.0.0.1:{port}{path}",
            data=body,
            headers=CIMultiDict(headers or ()),
            allow_redirects=False,
        ) as answer,
    ):
        return HttpReply(answer.status, dict(answer.headers), await answer.read())


async def rest(
    port: int, method: str, path: str, *, data: Any = None, headers: Headers | None = None
) -> HttpReply:
    """Makes one REST call; ``data`` is sent as JSON."""
    body = None if data is None else json.dumps(data).encode()
    extra = {} if body is None else {"content-type": "application/json"}
    sent = CIMultiDict(extra)
    sent.update(headers or ())
    return await http(port, method, path, body=body, headers=sent)


def frame(message: bytes, flags: int = 0) -> bytes:
    """Returns a length-prefixed message (gRPC over HTTP/2 document)."""
    return struct.pack(">BI", flags, len(message)) + message


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Returns flags and content of each frame.

    Raises:
        ValueError: A frame is cut short.
    """
    found = []
    while data:
        if len(data) < 5 or len(data) < 5 + struct.unpack(">I", data[1:5])[0]:
            raise ValueError(f"cut frame: {data[:40]!r}")
        end = 5 + struct.unpack(">I", data[1:5])[0]
        found.append((data[0], data[5:end]))
        data = data[end:]
    return found


async def grpc_web(
    port: int, method: str, message: bytes, *, text: bool = False, headers: Headers | None = None
) -> GrpcReply:
    """Makes one gRPC-Web call, unary or server streaming, over HTTP/1.1.

    Args:
        port: Of the gateway, on loopback.
        method: ``package.Service/Method``.
        message: Serialised request.
        text: Whether to use base64 (``application/grpc-web-text``).
        headers: More request headers.
    """
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    body = base64.b64encode(frame(message)) if text else frame(message)
    sent = CIMultiDict({"content-type": kind, "accept": kind, "x-grpc-web": "1"})
    sent.extend(headers or ())
    return web_reply(await http(port, "POST", f"/{method}", body=body, headers=sent))


def web_reply(reply: HttpReply) -> GrpcReply:
    """Reads an answer by gRPC-Web.

    Raises:
        ValueError: It is none, or a frame is cut short.
    """
    kind = reply.headers.get("Content-Type", "")
    if not kind.startswith("application/grpc-web"):
        raise ValueError(f"not a gRPC-Web answer: {reply}")
    data = _decode_text(reply.body) if "-text" in kind else reply.body
    parts = frames(data)
    trailers = _trailers([content for flags, content in parts if flags & _TRAILERS])
    lower = {name.lower(): value for name, value in reply.headers.items()}
    status = trailers or lower  # an answer without a message has its status in the headers
    return GrpcReply(
        int(status["grpc-status"]),
        unquote(status.get("grpc-message", "")),
        tuple(content for flags, content in parts if not flags & _TRAILERS),
        lower,
        trailers,
    )


def _decode_text(body: bytes) -> bytes:
    """Each part may be padded on its own, so padding can be in the middle."""
    decoded = b""
    for start in range(0, len(body), 4):
        decoded += base64.b64decode(body[start : start + 4])
    return decoded


def _trailers(blocks: Sequence[bytes]) -> dict[str, str]:
    lines = [line for block in blocks for line in block.decode().split("\r\n") if line]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def grpc_call(
    channel: grpc.aio.Channel,
    method: str,
    *messages: bytes,
    timeout: float = HANG,  # noqa: ASYNC109 - it is the deadline of the call
    metadata: Sequence[tuple[str, str]] = (),
) -> GrpcReply:
    """Makes one gRPC call of any kind with serialised messages.

    On the wire an answer with one message is a stream of one. A request with one message is sent
    as such though: grpc.aio reports INTERNAL ("Internal error from Core") in place of the status
    when an answer arrives while it still streams requests.

    Args:
        channel: To the gateway.
        method: ``package.Service/Method``.
        messages: Requests, sent one after another.
        timeout: Deadline in seconds.
        metadata: Sent with the call.
    """
    options: dict[str, Any] = {"timeout": timeout, "metadata": tuple(metadata)}
    stubs: Any = channel  # bytes go through as they are
    if len(messages) == 1:
        call = stubs.unary_stream(f"/{method}")(messages[0], **options)
    else:
        call = stubs.stream_stream(f"/{method}")(_each(messages), **options)
    received: list[bytes] = []
    try:
        async for message in call:
            received.append(message)  # noqa: PERF401 - those before an error count too
    except grpc.aio.AioRpcError:
        pass  # the status is read below
    code: Any = await call.code()
    return GrpcReply(
        code.value[0],
        await call.details() or "",
        tuple(received),
        _metadata(await call.initial_metadata()),
        _metadata(await call.trailing_metadata()),
    )


async def _each(messages: Sequence[bytes]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


def _metadata(pairs: Any) -> dict[str, str]:
    return {str(name): value for name, value in pairs or () if isinstance(value, str)}


class Schema:
    """Messages and methods of a FileDescriptorSet, without generated code."""

    def __init__(self, descriptor_set: bytes) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
            self._pool.Add(file)

    def method(self, method: str) -> MethodDescriptor:
        """Returns a method by ``package.Service/Method``.

        Raises:
            KeyError: There is no such service or method.
        """
        service, _, name = method.partition("/")
        found: MethodDescriptor = self._pool.FindServiceByName(service).methods_by_name[name]
        return found

    def request(self, method: str, value: Mapping[str, Any]) -> bytes:
        """Returns a serialised request from its JSON form."""
        message = message_factory.GetMessageClass(self.method(method).input_type)()
        json_format.ParseDict(dict(value), message, descriptor_pool=self._pool)
        return message.SerializeToString()

    def replies(self, method: str, reply: GrpcReply) -> list[dict[str, Any]]:
        """Returns the JSON form of every message of an answer."""
        kind: type[Message] = message_factory.GetMessageClass(self.method(method).output_type)
        return [
            json_format.MessageToDict(kind.FromString(data), descriptor_pool=self._pool)
            for data in reply.messages
        ]
