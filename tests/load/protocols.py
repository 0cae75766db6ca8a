"""Calls by gRPC, gRPC-Web and REST; no client here ever sends a call twice."""

import asyncio
import struct
from typing import Any, Protocol
from urllib.parse import unquote

import aiohttp
import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from tests.load.operations import Stream, Unary
from tests.load.plan import Load
from tests.load.schema import serialize
from tests.load.tally import OK, Outcome

WRONG = "WRONG_ANSWER"
HTTP_OK = 200
_TRAILERS = 0x80
"""Flag of the frame that holds the trailers (PROTOCOL-WEB)."""

_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class Caller(Protocol):
    """Makes the calls of one load."""

    async def call(self, number: int) -> Outcome:
        """Makes one call."""

    async def close(self) -> None:
        """Closes every connection."""


class GrpcUnary:
    """Unary calls by gRPC, over several connections in turn."""

    def __init__(self, target: str, load: Load, unary: Unary) -> None:
        self._channels = _channels(target, load)
        self._unary = unary
        self._timeout = load.timeout
        self._methods: list[Any] = [
            channel.unary_unary(unary.path, serialize, _from_string(unary.reply))
            for channel in self._channels
        ]

    async def call(self, number: int) -> Outcome:
        """Makes one call."""
        method = self._methods[number % len(self._methods)]
        try:
            reply = await method(self._unary.request(number), timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            return Outcome(error.code().name, error.details() or "")
        return _judged(self._unary, number, reply)

    async def close(self) -> None:
        """Closes every connection."""
        await asyncio.gather(*(channel.close() for channel in self._channels))


class GrpcStream:
    """Streams by gRPC; server streams are called the same way with one request message."""

    def __init__(self, target: str, load: Load, stream: Stream) -> None:
        self._channels = _channels(target, load)
        self._stream = stream
        self._timeout = load.timeout
        self._methods: list[Any] = [
            channel.stream_stream(stream.path, serialize, _from_string(stream.reply))
            for channel in self._channels
        ]

    async def call(self, number: int) -> Outcome:
        """Makes one call and compares every answer with the one due at its position."""
        method = self._methods[number % len(self._methods)]
        stream, position = self._stream, 0
        call = method(stream.requests(number), timeout=self._timeout)
        try:
            async for reply in call:
                if not stream.right(number, position, reply):
                    lost = stream.expected - position
                    return Outcome(WRONG, f"at position {position}: {reply}", lost)
                position += 1
        except grpc.aio.AioRpcError as error:
            detail = f"after {position} of {stream.expected} messages: {error.details()}"
            return Outcome(error.code().name, detail, stream.expected - position)
        finally:
            call.cancel()
        if position != stream.expected:
            detail = f"the stream ended with OK after {position} of {stream.expected} messages"
            return Outcome(WRONG, detail, stream.expected - position)
        return Outcome()

    async def close(self) -> None:
        """Closes every connection."""
        await asyncio.gather(*(channel.close() for channel in self._channels))


class Http:
    """Calls over HTTP/1.1, each worker with a connection of its own."""

    def __init__(self, target: str, load: Load) -> None:
        self._base = f"http://{target}"
        self._load = load
        self._headers = {"host": load.host} if load.host else {}
        self._session: aiohttp.ClientSession | None = None

    async def call(self, number: int) -> Outcome:
        """Makes one call."""
        try:
            return await self._call(self._open(), number)
        except (aiohttp.ClientError, TimeoutError, json_format.ParseError, DecodeError) as error:
            return Outcome(type(error).__name__, str(error), self._lost)

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()

    async def _call(self, session: aiohttp.ClientSession, number: int) -> Outcome:
        raise NotImplementedError

    @property
    def _lost(self) -> int:
        """Messages that a call loses that breaks off."""
        return self._load.messages if self._load.streaming else 0

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._load.workers),
                timeout=aiohttp.ClientTimeout(total=self._load.timeout),
                headers=self._headers,
            )
            # Otherwise a GET on a connection that the server has closed is sent again.
            self._session._retry_connection = False  # noqa: SLF001 - aiohttp has no public option
        return self._session


class Rest(Http):
    """Unary calls by REST/JSON."""

    def __init__(self, target: str, load: Load, unary: Unary) -> None:
        super().__init__(target, load)
        self._unary = unary

    async def _call(self, session: aiohttp.ClientSession, number: int) -> Outcome:
        async with self._request(session, number) as response:
            text = await response.text()
        if response.status != HTTP_OK:
            return Outcome(f"HTTP {response.status}", text)
        return _judged(self._unary, number, json_format.Parse(text, self._unary.reply()))

    def _request(self, session: aiohttp.ClientSession, number: int) -> Any:
        if self._load.protocol == "rest-get" and self._unary.get is not None:
            return session.get(self._base + self._unary.get.format(number))
        body = json_format.MessageToDict(self._unary.request(number))
        return session.post(self._base + self._unary.post, json=body)


async def post_grpc_web(
    session: aiohttp.ClientSession, url: str, message: Message
) -> tuple[Outcome, list[bytes]]:
    """Returns how a gRPC-Web call ended (PROTOCOL-WEB), and the messages that it brought."""
    data = serialize(message)
    body = struct.pack(">BI", 0, len(data)) + data
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    async with session.post(url, data=body, headers=headers) as response:
        frames = await response.read()
    if response.status != HTTP_OK:
        return Outcome(f"HTTP {response.status}", frames[:200].decode(errors="replace")), []
    messages, trailers = split_frames(frames)
    status = trailers.get("grpc-status", response.headers.get("grpc-status", "none"))
    if status == "0":
        return Outcome(), messages
    detail = trailers.get("grpc-message", response.headers.get("grpc-message", ""))
    return Outcome(f"grpc-status {status}", unquote(detail)), messages


class GrpcWeb(Http):
    """Unary calls by gRPC-Web."""

    def __init__(self, target: str, load: Load, unary: Unary) -> None:
        super().__init__(target, load)
        self._unary = unary

    async def _call(self, session: aiohttp.ClientSession, number: int) -> Outcome:
        url = self._base + self._unary.path
        outcome, messages = await post_grpc_web(session, url, self._unary.request(number))
        if outcome.status != OK:
            return outcome
        if len(messages) != 1:
            return Outcome(WRONG, f"{len(messages)} messages")
        reply = self._unary.reply()
        reply.ParseFromString(messages[0])
        return _judged(self._unary, number, reply)


def split_frames(body: bytes) -> tuple[list[bytes], dict[str, str]]:
    """Returns the messages and the trailers of a gRPC-Web answer."""
    messages: list[bytes] = []
    trailers: dict[str, str] = {}
    while body:
        flags, length = struct.unpack_from(">BI", body)
        frame, body = body[5 : 5 + length], body[5 + length :]
        if flags & _TRAILERS:
            lines = (line.partition(":") for line in frame.decode().splitlines())
            trailers.update({name.strip().lower(): value.strip() for name, _, value in lines})
        else:
            messages.append(frame)
    return messages, trailers


def _channels(target: str, load: Load) -> list[grpc.aio.Channel]:
    options: list[tuple[str, Any]] = list(_OPTIONS)
    if load.host:
        options.append(("grpc.default_authority", load.host))
    return [grpc.aio.insecure_channel(target, options) for _ in range(load.connections)]


def _from_string(reply: type[Message]) -> Any:
    return reply.FromString


def _judged(unary: Unary, number: int, reply: Message) -> Outcome:
    return Outcome() if unary.right(number, reply) else Outcome(WRONG, str(reply))
