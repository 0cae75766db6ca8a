"""/livez, /readyz, /metrics and /proxies over plain HTTP."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from grpc_operator.app.metrics import Metrics
from grpc_operator.app.proxies import PATH
from grpc_operator.resources import Key, gateway_key, service_key

ListProxies = Callable[[Key, Key], list[dict[str, Any]]]
"""Takes a gateway and a service; returns the proxies that are connected to this replica."""

_HEARTBEAT_TIMEOUT = 10.0
"""Seconds without a heartbeat of the event loop after which the process counts as hung."""


class HttpServer:
    """The HTTP server of one operator process.

    Args:
        metrics: The content of /metrics.
        unready: Returns why the process is not ready, or an empty text.
        proxies: Returns the proxies of a gateway, with the state of one service.
    """

    def __init__(self, metrics: Metrics, unready: Callable[[], str], proxies: ListProxies) -> None:
        self._metrics = metrics
        self._proxies = proxies
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
        app.router.add_get(PATH, self._proxies_json)
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
        return web.Response(status=503 if why else 200, text=f"{why or 'ok'}\n")

    async def _proxies_json(self, request: web.Request) -> web.Response:
        """Lists the proxies that are connected to this replica, for the other replicas."""
        names = [tuple(request.query.get(name, "").split("/")) for name in ("gateway", "service")]
        if any(len(name) != 2 for name in names):  # noqa: PLR2004 - namespace and name
            text = "expected ?gateway=NAMESPACE/NAME&service=NAMESPACE/NAME\n"
            return web.Response(status=400, text=text)
        gateway, service = names
        return web.json_response(self._proxies(gateway_key(*gateway), service_key(*service)))

    async def _metrics_text(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )
