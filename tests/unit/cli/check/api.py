"""An API server of plain objects, with the parts that ``grpcop check`` asks for.

Lists and their label selectors, access reviews, dry runs, and port-forwards to servers on this
machine: those of a "pod" may speak HTTP/1 and HTTP/2 at the same port, as a proxy does.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
_PREFACE = b"PRI *"


@dataclass
class Api:
    """The cluster.

    Attributes:
        objects: By path.
        denied: Rights that nobody has, as ``VERB RESOURCE``.
        answers: Status and message that a path is answered with, by its beginning.
        ports: Ports on this machine by namespace and name of a pod: for HTTP/2, and for the rest.
        silent: Beginnings of paths that are never answered.
    """

    objects: dict[str, Json] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    ports: dict[str, tuple[int, int]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        if any(request.path.startswith(each) for each in self.silent):
            await asyncio.Event().wait()
        for path, (status, message) in self.answers.items():
            if request.path.startswith(path):
                return web.json_response({"message": message}, status=status)
        if request.path.endswith("/portforward"):
            return await self._forward(request)
        if request.method == "POST":
            return web.json_response(await self._post(request))
        if request.path in self.objects:
            return web.json_response(self.objects[request.path])
        return self._list(request)

    async def _post(self, request: web.Request) -> Json:
        body = await request.json()
        if "accessreviews" not in request.path:
            return dict(body)
        right = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (right["resource"], right.get("subresource"))))
        return {"status": {"allowed": f"{right['verb']} {resource}" not in self.denied}}

    def _list(self, request: web.Request) -> web.Response:
        head, _, plural = request.path.rpartition("/")
        selector = dict(
            part.split("=") for part in request.query.get("labelSelector", "").split(",") if part
        )
        items = [
            item
            for path, item in sorted(self.objects.items())
            if _is_in(path, head, plural) and _matches(item, selector)
        ]
        if items or plural in _PLURALS:
            return web.json_response({"items": items, "metadata": {"resourceVersion": "1"}})
        words = f'{head.rpartition("/")[2]} "{plural}" not found'
        return web.json_response({"message": words}, status=404)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        _, _, _, _, namespace, _, pod, _ = request.path.split("/")
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel in (0, 1):
            await socket.send_bytes(bytes([channel, 0, 0]))
        await _bridge(socket, self.ports.get(f"{namespace}/{pod}", (1, 1)))
        await socket.close()
        return socket


_PLURALS = {"pods", "deployments", "services", "grpcservices", "grpcgateways"}


def _is_in(path: str, head: str, plural: str) -> bool:
    """Returns whether an object is in a list, of a namespace or of all."""
    where, _, _ = path.rpartition("/")
    group = head.partition("/namespaces/")[0]
    if not where.endswith(f"/{plural}") or not path.startswith(f"{group}/"):
        return False
    return "/namespaces/" not in head or where == f"{head}/{plural}"


def _matches(item: Json, selector: Mapping[str, str]) -> bool:
    labels = item["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in selector.items())


async def _bridge(socket: web.WebSocketResponse, ports: tuple[int, int]) -> None:
    first = await socket.receive()
    if not isinstance(first.data, bytes):
        return
    port = ports[0] if first.data[1:].startswith(_PREFACE) else ports[1]
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await socket.send_bytes(b"\1dial tcp4 127.0.0.1: connect: connection refused")
        return
    writer.write(first.data[1:])

    async def back() -> None:
        while data := await reader.read(65536):
            await socket.send_bytes(b"\0" + data)
        await socket.close()

    task = asyncio.create_task(back())
    async for message in socket:
        writer.write(message.data[1:])
    writer.close()
    task.cancel()


@contextmanager
def in_thread(handler: Any) -> Iterator[int]:
    """Serves HTTP in a thread of its own; yields the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, int(runner.addresses[0][1])

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
