"""The load generator: a closed loop of equal calls over HTTP/2, every answer checked.

    python -m bench.load PORT PROTOCOL REQUESTS SERVICE PATH HOST [KEY=VALUE ...]

prints ``{"seconds": ..., "failed": ...}``.
"""

import asyncio
import json
import sys
import time

from bench import h2, messages

CONNECTIONS = 4
STREAMS = 16
"""Calls in flight on each connection."""


class _Client(asyncio.Protocol):
    """One connection that makes its share of the calls.

    Args:
        call: What to send.
        share: How many.
    """

    def __init__(self, call: messages.Call, share: int) -> None:
        self.failed = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._call = call
        self._unsent = self._unanswered = share
        self._next = 1
        self._splitter = h2.Splitter()
        self._open: dict[int, tuple[list[bytes], list[bytes]]] = {}
        self._right: set[tuple[bytes, tuple[bytes, ...], bytes]] = set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP gives nothing else
        self._transport = transport
        first = b"".join(self._request() for _ in range(min(STREAMS, self._unsent)))
        transport.write(h2.PREFACE + h2.settings() + first)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.failed += self._unanswered
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        out = b"".join(self._take(*frame) for frame in self._splitter.feed(data))
        if out and self._transport is not None:
            self._transport.write(out)

    def _request(self) -> bytes:
        stream, self._next = self._next, self._next + 2
        self._unsent -= 1
        self._open[stream] = ([], [])
        if not self._call.body:
            flags = h2.END_HEADERS | h2.END_STREAM
            return h2.frame(h2.HEADERS, flags, stream, self._call.head)
        return h2.frame(h2.HEADERS, h2.END_HEADERS, stream, self._call.head) + h2.frame(
            h2.DATA, h2.END_STREAM, stream, self._call.body
        )

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if not stream:
            if kind == h2.GOAWAY and self._transport is not None:
                self._transport.close()
            return h2.answer(kind, flags, payload)
        if kind == h2.HEADERS:
            self._open[stream][0].append(payload)
        elif kind == h2.DATA:
            self._open[stream][1].append(payload)
        if kind == h2.RST_STREAM or (kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM):
            return self._answered(stream)
        return b""

    def _answered(self, stream: int) -> bytes:
        blocks, body = self._open.pop(stream)
        if not self._is_right(blocks, b"".join(body)):
            self.failed += 1
        self._unanswered -= 1
        if not self._unanswered:
            self.done.set_result(None)
        return self._request() if self._unsent else b""

    def _is_right(self, blocks: list[bytes], body: bytes) -> bool:
        # Of the headers only the status: they hold times, which differ.
        if not blocks:
            return False
        seen = (blocks[0][:2], tuple(blocks[1:]), body)
        if seen not in self._right and messages.is_right(self._call.protocol, blocks, body):
            self._right.add(seen)
        return seen in self._right


async def _run(port: int, call: messages.Call, requests: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(
            lambda: _Client(call, requests // CONNECTIONS), "127.0.0.1", port
        )
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "failed": sum(client.failed for client in clients)}


def _main(arguments: list[str]) -> None:
    port, protocol, requests, service, path, host, *pairs = arguments
    metadata = dict(pair.split("=", 1) for pair in pairs)
    call = messages.call(protocol, messages.Target(service, path, host), metadata)
    result = asyncio.run(_run(int(port), call, int(requests)))
    print(json.dumps(result))  # noqa: T201 - the caller reads it


if __name__ == "__main__":
    _main(sys.argv[1:])
