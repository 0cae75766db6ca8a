"""A client that means harm, frame by frame: it sends what libraries refuse to send."""

import asyncio
import contextlib
import struct
from collections import Counter
from dataclasses import dataclass, field

from bench import h2

from tests.waiting import until

CONTINUATION, PRIORITY = 9, 2
_WINDOW = 65_535
_LARGEST_FRAME = 16_384
_STALLED = 0.5
"""Seconds after which Envoy will not take any more."""


@dataclass
class Connection:
    """One HTTP/2 connection that keeps the rules of flow control, and no others.

    Attributes:
        frames: Frames received, by type.
        statuses: Responses by ``:status``, as far as it is in the static table.
        closed: Whether Envoy has closed it.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: str
    frames: Counter[int] = field(default_factory=Counter)
    closed: bool = False
    _windows: dict[int, int] = field(default_factory=lambda: {0: _WINDOW})
    _initial: int = _WINDOW
    _gone: set[int] = field(default_factory=set)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _stream: int = -1
    _reading: "asyncio.Task[None] | None" = None

    @classmethod
    async def open(cls, port: int, host: str, *, window: int | None = None) -> "Connection":
        """Connects.

        Args:
            port: Of the listener.
            host: ``:authority`` of its requests.
            window: Bytes of an answer that it ever takes; ``None`` for any number.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        made = cls(reader, writer, host)
        made.send(h2.PREFACE)
        if window is None:
            made.send(h2.settings())
        else:
            made.send(h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 4, window)))
        made._reading = asyncio.create_task(made._read())
        return made

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        if not self.closed:
            self.writer.write(data)

    def request(self, path: str, headers: dict[str, str], *, end: bool = False) -> int:
        """Begins a POST request and returns its stream."""
        self._stream += 2
        flags = h2.END_HEADERS | (h2.END_STREAM if end else 0)
        self._windows[self._stream] = self._initial
        block = self.block(path, headers)
        first, rest = block[:_LARGEST_FRAME], block[_LARGEST_FRAME:]
        if not rest:
            self.send(h2.frame(h2.HEADERS, flags, self._stream, first))
            return self._stream
        self.send(h2.frame(h2.HEADERS, flags & ~h2.END_HEADERS, self._stream, first))
        while rest:
            part, rest = rest[:_LARGEST_FRAME], rest[_LARGEST_FRAME:]
            self.send(h2.frame(CONTINUATION, 0 if rest else h2.END_HEADERS, self._stream, part))
        return self._stream

    def block(self, path: str, headers: dict[str, str]) -> bytes:
        """Returns the header block of a POST request."""
        pseudo = {":method": "POST", ":scheme": "http", ":path": path, ":authority": self.host}
        return h2.headers({**pseudo, **headers})

    def reset(self, stream: int) -> None:
        """Resets a stream (CANCEL)."""
        self.send(h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", 8)))

    async def body(
        self, stream: int, size: int, content: bytes = b"x", *, end: bool = False
    ) -> int:
        """Sends as much of a body as Envoy takes; returns how much that was."""
        sent = 0
        piece = content * (_LARGEST_FRAME // len(content))
        while sent < size and not self.closed and stream not in self._gone:
            room = min(self._windows[0], self._windows.get(stream, 0), size - sent, _LARGEST_FRAME)
            if room <= 0:
                self._moved.clear()
                try:
                    await asyncio.wait_for(self._moved.wait(), _STALLED)
                except TimeoutError:
                    break
                continue
            sent += room
            for each in (0, stream):
                self._windows[each] -= room
            last = end and sent == size
            self.send(h2.frame(h2.DATA, h2.END_STREAM if last else 0, stream, piece[:room]))
            await self.flushed()
        return sent

    async def settled(self) -> None:
        """Waits for the answer to a ping, which comes after everything else, or for the end."""
        before = self.frames[h2.PING]
        self.send(h2.frame(h2.PING, 0, 0, bytes(8)))

        async def answered() -> bool:
            return self.closed or self.frames[h2.PING] > before

        await until(answered, "Envoy answers a ping or closes the connection")

    async def flushed(self) -> None:
        """Waits until the kernel has taken what was sent, or Envoy reads no more."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(self.writer.drain(), _STALLED)

    async def close(self) -> None:
        """Closes the connection."""
        if self._reading is not None:
            self._reading.cancel()
        self.writer.transport.abort()

    async def _read(self) -> None:
        splitter = h2.Splitter()
        with contextlib.suppress(ConnectionError):
            while data := await self.reader.read(1 << 18):
                for kind, flags, stream, payload in splitter.feed(data):
                    self._received(kind, flags, stream, payload)
        self.closed = True
        self._moved.set()

    def _received(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self.frames[kind] += 1
        self.send(h2.answer(kind, flags, payload))
        if kind == h2.WINDOW_UPDATE:
            self._windows[stream] = self._windows.get(stream, 0) + int.from_bytes(payload, "big")
        if kind == h2.SETTINGS and not flags & h2.ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at : at + 6])
                if name == 4:
                    for each in self._windows:
                        if each:
                            self._windows[each] += value - self._initial
                    self._initial = value
        if kind == h2.RST_STREAM or (kind in (h2.DATA, h2.HEADERS) and flags & h2.END_STREAM):
            self._gone.add(stream)
        self._moved.set()
