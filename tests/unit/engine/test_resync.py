"""A resync lists everything at a time, and keeps what it could list."""

import asyncio

import pytest

from grpc_operator.engine.queue import Queue
from grpc_operator.engine.resync import Resync
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Key, Manifest, Resource

WATCHED = (GRPC_SERVICES, GRPC_GATEWAYS)


def _made(resource: Resource) -> Manifest:
    metadata = {"namespace": "shop", "name": "users", "uid": "x", "resourceVersion": "5"}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


async def test_no_list_waits_for_another_one() -> None:
    """Each is answered when both have been asked for."""
    store = Store()
    queue: Queue[Key] = Queue()
    asked: set[Resource] = set()
    both = asyncio.Event()
    corrected = []

    async def list_all(resource: Resource) -> tuple[list[Manifest], int]:
        asked.add(resource)
        if len(asked) == len(WATCHED):
            both.set()
        await both.wait()
        return [_made(resource)], 5

    await Resync(WATCHED, list_all, store, queue, lambda: corrected.append(1)).once()
    assert (queue.depth, len(store.owners()), corrected) == (2, 2, [1])


async def test_what_could_be_listed_is_kept() -> None:
    """The others are as they were; the control plane hears of it."""
    store = Store()
    queue: Queue[Key] = Queue()
    corrected = []

    async def list_all(resource: Resource) -> tuple[list[Manifest], int]:
        if resource is GRPC_SERVICES:
            raise ClusterError("no answer")
        return [_made(resource)], 5

    resync = Resync(WATCHED, list_all, store, queue, lambda: corrected.append(1))
    with pytest.raises(ClusterError, match="no answer"):
        await resync.once()
    assert [key.kind for key in store.owners()] == [GRPC_GATEWAYS.kind]
    assert (queue.depth, corrected, resync.age) == (0, [1], float("inf"))
