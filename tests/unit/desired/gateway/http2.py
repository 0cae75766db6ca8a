"""A client of HTTP/2 frame by frame (RFC 9113): it sees what libraries hide, such as GOAWAY."""

import socket
import struct
from dataclasses import dataclass, field

from tests.waiting import HANG

DATA, GOAWAY = 0x0, 0x7
_HEADERS, _SETTINGS = 0x1, 0x4
_END_STREAM, _END_HEADERS = 0x1, 0x4


@dataclass
class Connection:
    """One connection without TLS.

    Attributes:
        frames: Type, stream and payload of everything received so far.
        closed: Whether the other side has closed it.
    """

    port: int
    frames: list[tuple[int, int, bytes]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=HANG)
        self._socket.settimeout(0.05)
        self._buffer = b""
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))

    def get(self, stream: int, path: str) -> None:
        """Sends a request."""
        headers = {":method": "GET", ":scheme": "http", ":path": path, ":authority": "test"}
        block = b"".join(_literal(name, value) for name, value in headers.items())
        self._socket.sendall(_frame(_HEADERS, _END_STREAM | _END_HEADERS, stream, block))

    def poll(self) -> None:
        """Receives what has arrived."""
        try:
            received = self._socket.recv(65536)
        except TimeoutError:
            return
        self.closed = self.closed or not received
        self._buffer += received
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                return
            kind, stream = self._buffer[3], int.from_bytes(self._buffer[5:9], "big")
            self.frames.append((kind, stream, self._buffer[9 : 9 + length]))
            self._buffer = self._buffer[9 + length :]

    def data(self, stream: int) -> bytes:
        """Returns the body of an answer so far."""
        return b"".join(body for kind, at, body in self.frames if (kind, at) == (DATA, stream))

    def has(self, kind: int) -> bool:
        """Returns whether a frame of a type has come."""
        return any(frame[0] == kind for frame in self.frames)

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def _literal(name: str, value: str) -> bytes:
    """A header as HPACK literal without indexing (RFC 7541, 6.2.2); both shorter than 127 bytes."""
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
