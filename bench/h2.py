"""The part of HTTP/2 (RFC 9113, RFC 7541) that load needs: cheap, so that Envoy is what is busy.

Header blocks are written once as literals without the dynamic table, and both sides announce a
table size of 0, so equal headers always arrive as equal bytes.
"""

import struct
from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4

STATUS_200 = b"\x88"
"""``:status: 200``, entry 8 of the static table."""

_HEADER_TABLE_SIZE, _INITIAL_WINDOW_SIZE = 1, 4
_MAX_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_HEAD = 9
_SHORT_LITERAL = 126
_LONGEST_LITERAL = 16_000
_NEW_NAME = b"\0"
"""Literal header field without indexing, new name (RFC 7541, 6.2.2)."""

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, payload."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Returns one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings() -> bytes:
    """Returns what either side says first: no dynamic table, and windows that never fill."""
    values = struct.pack(">HIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW_SIZE, _MAX_WINDOW)
    window = struct.pack(">I", _MAX_WINDOW - _DEFAULT_WINDOW)
    return frame(SETTINGS, 0, 0, values) + frame(WINDOW_UPDATE, 0, 0, window)


def headers(pairs: dict[str, str]) -> bytes:
    """Returns a header block of literals.

    Raises:
        ValueError: A name or value is too long for the two length bytes after the prefix.
    """
    texts = (text for pair in pairs.items() for text in pair)
    lengths = [_literal(text.encode()) for text in texts]
    return b"".join(
        _NEW_NAME + name + value for name, value in zip(lengths[::2], lengths[1::2], strict=True)
    )


def _literal(text: bytes) -> bytes:
    if len(text) > _LONGEST_LITERAL:
        raise ValueError(f"{text!r} has more than {_LONGEST_LITERAL} bytes")
    if len(text) <= _SHORT_LITERAL:
        return bytes([len(text)]) + text
    more, rest = divmod(len(text) - _SHORT_LITERAL - 1, 128)
    return bytes([127, rest | 128, more]) + text


class Splitter:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yields the frames that are complete now."""
        buffer = self._rest + data
        at, size = 0, len(buffer)
        while size - at >= _HEAD:
            end = at + _HEAD + (buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2])
            if end > size:
                break
            stream = int.from_bytes(buffer[at + 5 : at + _HEAD], "big") & _MAX_WINDOW
            yield buffer[at + 3], buffer[at + 4], stream, buffer[at + _HEAD : end]
            at = end
        self._rest = buffer[at:]


def answer(kind: int, flags: int, payload: bytes) -> bytes:
    """Returns what a frame about the connection itself must be answered with."""
    if kind in (SETTINGS, PING) and not flags & ACK:
        return frame(kind, ACK, 0, payload if kind == PING else b"")
    return b""
