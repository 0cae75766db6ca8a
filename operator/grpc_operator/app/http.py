"""/livez, /readyz and /metrics over plain HTTP: nothing in them is of any tenant."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from grpc_operator.app.metrics import Metrics

_HEARTBEAT_TIMEOUT = 10.0
"""Seconds without a heartbeat of the event loop after which the process counts as hung."""


class HttpServer:
    """The HTTP server of one operator process.

    Args:
        metrics: The content of /metrics.
        unready: Returns why the process is not ready, or an empty text.
        notice: Returns what a ready process has to say, or an empty text.
    """

    def __init__(
        self, metrics: Metrics, unready: Callable[[], str], notice: Callable[[], str]
    ) -> None:
        self._notice = notice
        self._metrics = metrics
        self._unready = unready
        self._heartbeat = time.monotonic()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        """Starts to serve on all addresses.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics_text)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, port=port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stops serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def keep_heartbeat(self) -> None:
        """Records every second that the event loop runs, until cancelled."""
        while True:
            self._heartbeat = time.monotonic()
            await asyncio.sleep(1)

    async def _livez(self, _: web.Request) -> web.Response:
        age = time.monotonic() - self._heartbeat
        if age > _HEARTBEAT_TIMEOUT:
            return web.Response(status=503, text=f"event loop was blocked for {age:.0f} s\n")
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        why = self._unready()
        if why:
            return web.Response(status=503, text=f"{why}\n")
        return web.Response(text="".join(f"{line}\n" for line in ("ok", self._notice()) if line))

    async def _metrics_text(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )
