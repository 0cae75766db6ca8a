"""A fault-injecting proxy: one operator's only way to the API server, and the log of its use."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from aiohttp import web

from tests.integration.credentials import Credentials
from tests.integration.faults import Call, Fault, WatchGate

_HOP_HEADERS = {"host", "connection", "transfer-encoding", "content-length", "accept-encoding"}


When = Literal["before", "after"]


@dataclass
class _Crash:
    """SIGKILL at the n-th write from now on."""

    at_write: int
    when: When
    kill: Callable[[], None]
    seen: int = 0


@dataclass
class Proxy:
    """Plain HTTP on loopback for the operator, TLS with a client certificate to the API server.

    Attributes:
        calls: Every request in the order of arrival; the log of a running test only grows.
        faults: What to do instead of forwarding; the first that matches and is not used up counts.
        cut: While true, every connection is reset: the API server is out of reach.
        user: Who the operator is for the API server; the administrator when empty.
    """

    credentials: Credentials
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    cut: bool = False
    user: str = ""

    def __post_init__(self) -> None:
        self._crash: _Crash | None = None
        self._gates: dict[str, WatchGate] = {}
        self._loop = asyncio.new_event_loop()
        self._watches: dict[asyncio.Task[Any], str] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._do(self._start())

    @property
    def url(self) -> str:
        """What the operator's kubeconfig calls the server."""
        return f"http://127.0.0.1:{self.port}"

    def writes(self, since: int = 0) -> list[Call]:
        """Returns the writes from the given place in the log on, those to Leases left out."""
        return [call for call in self.calls[since:] if call.is_write]

    def crash(self, at_write: int, when: When, kill: Callable[[], None]) -> None:
        """Kills the operator before the n-th write arrives, or after it was applied."""
        self._crash = _Crash(at_write, when, kill)

    def gate(self, resource: str) -> WatchGate:
        """Returns the control over the watch streams of a resource, such as ``deployments``."""
        return self._gates.setdefault(resource, WatchGate())

    def cut_watches(self, resource: str = "") -> None:
        """Ends the open watch streams of a resource, or of all."""

        async def cancel() -> None:
            for task, plural in self._watches.items():
                if resource in {"", plural}:
                    task.cancel()

        self._do(cancel())

    def cut_off(self) -> None:
        """Takes the API server out of reach until ``restore``."""
        self.cut = True
        self.cut_watches()

    def restore(self) -> None:
        """Ends every fault and lets requests that hang fail now."""
        self.cut = False
        self._crash = None
        for fault in self.faults:
            fault.over.set()
        self.faults.clear()
        self._gates.clear()

    def close(self) -> None:
        """Ends the proxy."""
        self.restore()
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _start(self) -> int:
        connector = aiohttp.TCPConnector(ssl=self.credentials.tls, limit=0)
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        for task in self._watches:
            task.cancel()
        await self._runner.cleanup()
        await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.method, request.path, dict(request.query), at=time.monotonic())
        self.calls.append(call)
        if self.cut:
            return _reset(request)
        fault = next((fault for fault in self.faults if fault.takes(call)), None)
        if fault is not None:
            return await self._fail(request, call, fault)
        if call.is_watch:
            return await self._watch(request, call)
        crash = self._crash_now(call)
        if crash is not None and crash.when == "before":
            crash.kill()
            return _reset(request)
        call.body = body = await request.read()
        async with self._forward(request, body) as answer:
            call.status, data = answer.status, await answer.read()
        if crash is not None:
            crash.kill()
            return _reset(request)
        return web.Response(status=answer.status, body=data, headers=_headers(answer.headers))

    def _forward(self, request: web.Request, body: bytes) -> Any:
        return self._client.request(
            request.method,
            self.credentials.server + request.raw_path,
            data=body or None,
            headers=_headers(request.headers) | self._impersonated(),
            skip_auto_headers=["Content-Type"],
        )

    def _impersonated(self) -> dict[str, str]:
        return {"Impersonate-User": self.user} if self.user else {}

    def _crash_now(self, call: Call) -> _Crash | None:
        if self._crash is None or not call.is_write:
            return None
        self._crash.seen += 1
        return self._crash if self._crash.seen == self._crash.at_write else None

    async def _fail(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            while not fault.over.is_set():  # noqa: ASYNC110 - another thread sets the event
                await asyncio.sleep(0.05)
        if isinstance(fault.kind, str):
            return _reset(request)
        call.status = fault.kind
        status = {"kind": "Status", "status": "Failure", "code": fault.kind, "message": "injected"}
        headers = {"Retry-After": "1"} if fault.kind == 429 else {}
        return web.json_response(status, status=fault.kind, headers=headers)

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        gate = self.gate(call.resource)
        if gate.take_gone():
            call.status = 410
            return web.json_response(_EXPIRED, status=410)
        out = web.StreamResponse(headers={"Content-Type": "application/json"})
        task = asyncio.current_task()
        assert task is not None
        self._watches[task] = call.resource
        try:
            async with self._forward(request, b"") as answer:
                call.status = answer.status
                out.set_status(answer.status)
                await out.prepare(request)
                async for line in answer.content:
                    if await gate.passes(line):
                        await out.write(line)
        except (asyncio.CancelledError, ConnectionError, aiohttp.ClientError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            del self._watches[task]
        return out


_EXPIRED = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "g"}


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def _headers(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}
