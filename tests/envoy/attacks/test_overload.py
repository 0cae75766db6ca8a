"""A proxy without free memory: it stays ready, and each call ends, be it by a closed connection."""

import asyncio

import aiohttp
import pytest

from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.upstream import says, serving
from tests.waiting import HANG, until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio]

_HOST = "large.test"
_STATUS = "grpc-operator-status"
_MIB = 1 << 20
_LIMIT = 16 * _MIB
"""Largest ``maxMessageBytes``."""

_CLIENTS = 12
"""Take more than 50% of the heap while their bodies are transcoded."""


async def test_a_proxy_that_sheds_load_is_ready() -> None:
    """A restart would end the calls that it still serves. It has more than 4 MiB from the start."""
    async with serving(says(b"")) as upstream, running_gateway(memory="4Mi") as made:
        await made.serve(Exposed("users", user_descriptor(), (upstream,)))

        async def refuses() -> bool:
            return await _get(made.port, "/v1/users/1") is None

        await until(refuses, "the proxy closes the connections of clients")
        assert await _get(await made.envoy.port(_STATUS), "/ready") == 200
        assert await _get(await made.envoy.port(_STATUS), "/stats/prometheus") == 200


async def test_json_that_a_proxy_drops_is_no_endless_wait() -> None:
    """Envoy resets HTTP/1.1 streams that hold most without a response, and keeps the connection."""
    gateway = {"hostnames": [_HOST], "maxMessageBytes": _LIMIT}
    idle = {"http": {"idleTimeout": "1s"}}
    responses: list[bytes] = []
    async with serving(says(b"")) as upstream, running_gateway(timeout=idle) as made:
        await made.serve(Exposed("large", user_descriptor(), (upstream,), gateway))

        async def some_are_dropped() -> bool:
            responses.extend(await asyncio.gather(*(_large(made.port) for _ in range(_CLIENTS))))
            return any((await made.envoy.stats("downstream_rq_rx_reset")).values())

        await until(some_are_dropped, "the proxy has reset the stream of a client")
    assert set(responses) <= {b"HTTP/1.1 ", b""}
    assert b"" in responses


async def _large(port: int) -> bytes:
    """Sends the largest body and returns the beginning of the response."""
    head = f"POST /v1/users HTTP/1.1\r\nhost: {_HOST}\r\ncontent-type: application/json\r\n"
    start, end = b'{"name":"', b'"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{head}content-length: {_LIMIT}\r\n\r\n".encode() + start)
        writer.write(b"x" * (_LIMIT - len(start) - len(end)) + end)
        return await asyncio.wait_for(reader.read(len(b"HTTP/1.1 ")), HANG)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def _get(port: int, path: str) -> int | None:
    """Returns the status of a GET request on a connection of its own; ``None`` without any."""
    timeout = aiohttp.ClientTimeout(total=HANG)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}{path}") as reply:
                return reply.status
        except aiohttp.ClientConnectionError:
            return None
