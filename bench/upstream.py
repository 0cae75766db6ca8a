"""An upstream that answers every gRPC call with the same message, as cheaply as Python can.

    python -m bench.upstream HOST

prints the port it listens on and serves until its standard input ends.
"""

import asyncio
import sys

from grpc_health.v1 import health_pb2

from bench import h2, messages

_EMPTY = messages.framed(b"")
_SERVING = health_pb2.HealthCheckResponse(status="SERVING").SerializeToString()


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._splitter = h2.Splitter()
        self._transport: asyncio.Transport | None = None
        self._greeting = len(h2.PREFACE)
        status = {":status": "200", "content-type": "application/grpc"}
        self._head = h2.headers(status)
        self._body = messages.framed(messages.response())
        self._serving = messages.framed(_SERVING)
        self._trailers = h2.headers({"grpc-status": "0"})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP gives nothing else
        self._transport = transport
        transport.write(h2.settings())

    def data_received(self, data: bytes) -> None:
        skip = min(self._greeting, len(data))
        self._greeting -= skip
        reply = b"".join(self._replies(data[skip:]))
        if reply and self._transport is not None:
            self._transport.write(reply)

    def _replies(self, data: bytes) -> list[bytes]:
        replies = []
        for kind, flags, stream, payload in self._splitter.feed(data):
            if kind == h2.DATA and flags & h2.END_STREAM:
                # Only the health check of the operator has nothing in its request.
                body = self._serving if payload == _EMPTY else self._body
                replies += [
                    h2.frame(h2.HEADERS, h2.END_HEADERS, stream, self._head),
                    h2.frame(h2.DATA, 0, stream, body),
                    h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, self._trailers),
                ]
            elif not stream:
                replies.append(h2.answer(kind, flags, payload))
        return replies


async def _serve(host: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, host, 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the caller reads it
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
