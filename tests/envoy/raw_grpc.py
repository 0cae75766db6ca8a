"""gRPC calls with headers that no gRPC client would send."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bench import h2

from tests.envoy import calls

_NAMES = (bytes.fromhex("9acac8b21234da8f"), b"grpc-status")
"""``grpc-status`` in the Huffman code of RFC 7541, and plain."""

_DIGITS = {
    "0": "00000", "1": "00001", "2": "00010", "3": "011001", "4": "011010",
    "5": "011011", "6": "011100", "7": "011101", "8": "011110", "9": "011111",
}  # fmt: skip
"""The Huffman code of digits (RFC 7541, appendix B)."""

_BYTE = 8
_CODES = 17
_HUFFMAN = 0x80


@dataclass(frozen=True)
class RawReply:
    """How a call ended.

    Attributes:
        code: gRPC status code number; ``None`` without one.
        reset: Whether the stream was reset.
        blocks: Header blocks.
        body: What was received.
    """

    code: int | None
    reset: bool
    blocks: tuple[bytes, ...]
    body: bytes


async def call(
    port: int,
    method: str,
    headers: Iterable[tuple[str, str]] = (),
    *,
    host: str,
    path: str | None = None,
    verb: str = "POST",
    content_type: str = "application/grpc",
    message: bytes = b"",
) -> RawReply:
    """Makes one call on a connection of its own.

    Args:
        port: Of the gateway, on loopback.
        method: ``package.Service/Method``.
        headers: Sent as they are, in this order, after those of gRPC.
        host: ``:authority``.
        path: ``:path``; by default that of the method.
        verb: ``:method``.
        content_type: The header of this name.
        message: Serialised request.
    """
    head = [
        (":method", verb),
        (":scheme", "http"),
        (":authority", host),
        (":path", path or f"/{method}"),
        ("content-type", content_type),
        ("te", "trailers"),
        *headers,
    ]
    block = b"".join(h2.headers(dict([pair])) for pair in head)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(h2.PREFACE + h2.settings())
    writer.write(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, block))
    writer.write(h2.frame(h2.DATA, h2.END_STREAM, 1, calls.frame(message)))
    try:
        return await _reply(reader, writer)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> RawReply:
    splitter, body = h2.Splitter(), b""
    blocks: list[bytes] = []
    while data := await reader.read(65536):
        for kind, flags, stream, payload in splitter.feed(data):
            writer.write(h2.answer(kind, flags, payload))
            if kind == h2.GOAWAY or (stream and kind == h2.RST_STREAM):
                return RawReply(_code(blocks), True, tuple(blocks), body)
            if kind == h2.HEADERS:
                blocks.append(payload)
            if kind == h2.DATA:
                body += payload
            if stream and kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM:
                return RawReply(_code(blocks), False, tuple(blocks), body)
    return RawReply(_code(blocks), True, tuple(blocks), body)


def _code(blocks: Iterable[bytes]) -> int | None:
    """Returns the status of a header block without references to a dynamic table."""
    for block in blocks:
        for code in range(_CODES):
            if any(name + value in block for name in _NAMES for value in _literals(str(code))):
                return code
    return None


def _literals(digits: str) -> tuple[bytes, bytes]:
    bits = "".join(_DIGITS[digit] for digit in digits)
    bits += "1" * (-len(bits) % _BYTE)
    coded = int(bits, 2).to_bytes(len(bits) // _BYTE)
    return (
        bytes([len(digits)]) + digits.encode(),
        bytes([_HUFFMAN | len(coded)]) + coded,
    )
