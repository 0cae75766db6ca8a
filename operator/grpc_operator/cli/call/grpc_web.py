"""A call by gRPC-Web over HTTP/1.1 (PROTOCOL-WEB.md of grpc/grpc)."""

import struct
from collections.abc import AsyncIterator
from urllib.parse import unquote

import aiohttp

from grpc_operator.cli.call import http_call as http
from grpc_operator.cli.call.grpc_call import outcome
from grpc_operator.cli.call.parts import Answer, Headers, Outcome, Pairs, Part
from grpc_operator.cli.call.transport import MOST_BYTES, Call, Requests
from grpc_operator.cli.errors import CliError

TYPE = "application/grpc-web+proto"
_TRAILERS = 0x80
_PREFIX = 5
_STATUS = ("grpc-status", "grpc-message")


async def parts(call: Call, requests: Requests) -> AsyncIterator[Part]:
    """Yields what comes back from a method that takes one request.

    Raises:
        CliError: A request is not valid, or a response.
    """
    (message,) = [each async for each in requests]
    fixed = {"content-type": TYPE, "accept": TYPE, "x-grpc-web": "1"}
    url = f"http://{call.target}/{call.called.name}"
    request = http.Request("POST", url, fixed, frame(message.SerializeToString()))
    async with http.sent(call, request) as answer:
        if isinstance(answer, Outcome):
            yield answer
            return
        headers = [(name.lower(), value) for name, value in answer.headers.items()]
        yield Headers([pair for pair in headers if pair[0] not in _STATUS])
        if not answer.headers.get("content-type", "").startswith("application/grpc-web"):
            yield Outcome(http.code(answer.status), hint=http.not_grpc(answer.status))
            return
        trailers: Pairs = headers  # without a message, the status is in the headers
        try:
            async for flags, content in _frames(answer.content):
                if flags & _TRAILERS:
                    trailers = _fields(content)
                else:
                    yield Answer(call.schema.read(content, call.called.response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            yield http.failed(error)
            return
    yield _ended(call, trailers)


def frame(message: bytes) -> bytes:
    """Returns a message as it is sent."""
    return struct.pack(">BI", 0, len(message)) + message


def _ended(call: Call, trailers: Pairs) -> Outcome:
    found = dict(trailers)
    code = found.get("grpc-status", "")
    if not code.isdigit():
        return Outcome(14, "the response ended without a status")
    rest = [pair for pair in trailers if pair[0] not in _STATUS]
    return outcome(call.schema, int(code), unquote(found.get("grpc-message", "")), rest)


async def _frames(content: aiohttp.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    while prefix := await content.read(1):
        prefix += await _exactly(content, _PREFIX - 1)
        flags, length = struct.unpack(">BI", prefix)
        if length > MOST_BYTES:
            raise CliError(f"the response has a message of {length:,} bytes")
        yield flags, await _exactly(content, length)


async def _exactly(content: aiohttp.StreamReader, length: int) -> bytes:
    try:
        return await content.readexactly(length)
    except EOFError as error:  # asyncio.IncompleteReadError
        raise aiohttp.ClientPayloadError("the response ends within a message") from error


def _fields(block: bytes) -> Pairs:
    pairs = (line.partition(":") for line in block.decode(errors="replace").split("\r\n") if line)
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]
