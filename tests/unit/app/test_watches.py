"""What kopf makes of an event: our handler, and no copy of the object."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from grpc_operator.app.metrics import Metrics
from grpc_operator.app.watches import Watches
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.engine.queue import Queue
from grpc_operator.engine.store import Store
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import GRPC_SERVICES, Key, watched
from grpc_operator.settings import Settings
from tests.waiting import HANG

SERVICES = 20
VERBS = ["list", "watch", "patch"]


class ApiServer:
    """Lists nothing, and reports the creation of GrpcServices to whoever watches them."""

    def __init__(self) -> None:
        self.events = [_event(number) for number in range(SERVICES)]
        self.closing = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers whatever kopf asks."""
        if request.query.get("watch"):
            return await self._watch(request)
        path = request.path.strip("/").split("/")
        if path in (["api"], ["apis"]):
            return web.json_response(_groups(path[0]))
        if path[0] == "api" and len(path) == 2:
            return web.json_response(_resources("", path[1]))
        if path[0] == "apis" and len(path) == 3:
            return web.json_response(_resources(path[1], path[2]))
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        if request.path.endswith(GRPC_SERVICES.plural):
            await response.write(b"".join(self.events))
        await self.closing.wait()
        return response


def _event(number: int) -> bytes:
    metadata = {
        "namespace": "shop",
        "name": f"users{number}",
        "uid": f"uid{number}",
        "resourceVersion": str(number + 2),
    }
    made = {"type": "ADDED", "object": {"metadata": metadata, "spec": {"image": "users:1"}}}
    return json.dumps(made).encode() + b"\n"


def _groups(kind: str) -> dict[str, Any]:
    if kind == "api":
        return {"versions": ["v1"]}
    groups: dict[str, str] = {each.group: each.version for each in watched(()) if each.group}
    return {
        "groups": [
            {
                "name": group,
                "preferredVersion": {"version": version},
                "versions": [{"version": version}],
            }
            for group, version in groups.items()
        ]
    }


def _resources(group: str, version: str) -> dict[str, Any]:
    return {
        "resources": [
            {
                "name": each.plural,
                "singularName": each.kind.lower(),
                "kind": each.kind,
                "namespaced": each.kind != "Namespace",
                "verbs": VERBS,
            }
            for each in watched(())
            if (each.group, each.version) == (group, version)
        ]
    }


class Plane:
    """Records what the control plane gets."""

    def __init__(self) -> None:
        self.changed: list[Key] = []
        self.complete = asyncio.Event()

    def owner_changed(self, key: Key, _: Any) -> None:
        """Notes the change of a GrpcService."""
        self.changed.append(key)
        if len(self.changed) == SERVICES:
            self.complete.set()


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """The API server."""
    app, answering = web.Application(), ApiServer()
    app.router.add_get("/{path:.*}", answering.answer)
    made = TestServer(app)
    async with made:
        yield made
        answering.closing.set()


async def test_an_event_is_parsed_once_and_copied_never(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default kopf copies each object as a whole, to compare it with the one before."""
    parsed, copied = [], []
    loads, deepcopy = json.loads, copy.deepcopy

    def counted_loads(text: Any, **options: Any) -> Any:
        if b"users" in (text if isinstance(text, bytes) else str(text).encode()):
            parsed.append(text)
        return loads(text, **options)

    def counted_deepcopy(value: Any, *memo: Any) -> Any:
        if isinstance(value, dict) and "spec" in value:
            copied.append(value)
        return deepcopy(value, *memo)

    monkeypatch.setattr(json, "loads", counted_loads)
    monkeypatch.setattr(copy, "deepcopy", counted_deepcopy)
    store, plane = Store(), Plane()
    queue: Queue[Key] = Queue(group=lambda key: key.namespace)
    connection = cast("Connection", SimpleConnection(str(server.make_url("/"))))
    settings = Settings(watch_namespaces=("shop",))
    control_plane = cast("ControlPlane", plane)
    watches = Watches(settings, store, queue, Metrics(), control_plane, connection)
    stop = asyncio.Event()
    running = asyncio.create_task(watches.run(stop, asyncio.Event()))
    try:
        await asyncio.wait_for(plane.complete.wait(), HANG)
    finally:
        stop.set()
        await running
    assert len(store.all(GRPC_SERVICES)) == queue.depth == SERVICES
    assert len(parsed) == SERVICES
    assert not copied


class SimpleConnection:
    """How to reach a server without credentials."""

    in_cluster = False

    def __init__(self, server: str) -> None:
        self._server = server.rstrip("/")

    async def credentials(self) -> dict[str, Any]:
        """Returns the server's address."""
        return {"server": self._server}
