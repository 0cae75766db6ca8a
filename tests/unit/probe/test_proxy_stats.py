"""What a proxy's status port says is bounded in time and size."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from grpc_operator import limits
from grpc_operator.desired.gateway.status_routes import CALLS
from grpc_operator.probe import proxy_stats
from grpc_operator.probe.proxy_stats import ProxyStatsError
from grpc_operator.resources import service_key

USERS = service_key("shop", "users")


@asynccontextmanager
async def proxy(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """Yields the address of a server that answers the one question."""
    app = web.Application()
    app.router.add_get("/stats/calls/shop/users", answer)
    async with TestServer(app) as server:
        yield f"127.0.0.1:{server.port}"


async def test_the_answer_is_returned() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}")

    async with proxy(answer) as target:
        assert await proxy_stats.read(target, CALLS, USERS) == b"{}"


async def test_more_than_the_limit_is_not_read() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    async with proxy(endless) as target:
        with pytest.raises(ProxyStatsError, match=f"more than {limits.CALL_STATISTICS_BYTES}"):
            await proxy_stats.read(target, CALLS, USERS)


async def test_a_proxy_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    monkeypatch.setattr(proxy_stats, "TIMEOUT", 0.1)
    async with proxy(hang) as target:
        with pytest.raises(ProxyStatsError, match="Timeout"):
            await proxy_stats.read(target, CALLS, USERS)


async def test_a_redirect_is_not_followed() -> None:
    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async with proxy(away) as target:
        with pytest.raises(ProxyStatsError, match="HTTP status 302"):
            await proxy_stats.read(target, CALLS, USERS)


async def test_nobody_listens() -> None:
    with pytest.raises(ProxyStatsError, match=r"127\.0\.0\.1:1"):
        await proxy_stats.read("127.0.0.1:1", CALLS, USERS)
