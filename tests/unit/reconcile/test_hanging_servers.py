"""120 servers of one namespace that never answer: nobody else waits for them, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from grpc_operator import labels, limits
from grpc_operator.api import GrpcService
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Found
from grpc_operator.reflection import fetch
from grpc_operator.resources import PODS, Key
from tests.unit.reconcile import users
from tests.unit.reflection import serving
from tests.unit.reflection.test_fetch import real_servicer
from tests.waiting import HANG, until

HANGING = 120


class Servers:
    """Servers that take connections and never answer.

    Attributes:
        targets: Where they listen.
        open: Connections that nobody has closed.
        most: Of those, the most at a time.
    """

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.open = self.most = 0
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Serves; nobody is connected any more at the end."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._hang_up)
            for _ in range(HANGING):
                server = await asyncio.start_server(self._hang, "127.0.0.1", 0)
                stack.callback(server.close)
                host, port = server.sockets[0].getsockname()
                self.targets.append(f"{host}:{port}")
            yield

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.open += 1
        self.most = max(self.most, self.open)
        while await reader.read(4096):
            pass
        self.open -= 1

    async def _hang_up(self) -> None:
        for each in self._writers:
            each.close()

        async def nobody_hangs() -> bool:
            return self.open == 0

        await until(nobody_hangs, "all connections are closed")


class Services:
    """GrpcServices, each with a pod, of which the descriptors are read by reflection.

    Args:
        targets: Their servers, by the address of the pod: those are no loopback addresses.
    """

    def __init__(self, targets: dict[str, str]) -> None:
        self._store = Store()
        self.ended: list[Key] = []
        self.calls = Calls[Pinned](self.ended.append)

        async def ask(target: str, within: float) -> bytes:
            del within  # none of them may end by its timeout
            return await fetch(targets[target.rpartition(":")[0]], HANG)

        self._sources = DescriptorSources(
            self.calls, cast("Cluster", None), self._store, DescriptorCache(self._store), ask
        )

    def add(self, namespace: str, name: str, address: str) -> GrpcService:
        """Adds a service with a ready pod."""
        manifest = users()
        manifest["metadata"] |= {"namespace": namespace, "name": name, "uid": f"{namespace}/{name}"}
        metadata: dict[str, Any] = {
            "namespace": namespace,
            "name": f"{name}-0",
            "uid": f"pod-of-{namespace}/{name}",
            "resourceVersion": "1",
            "labels": {labels.SERVICE: name, "pod-template-hash": "a"},
        }
        status = {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]}
        self._store.put(PODS, {"metadata": metadata, "status": status, "spec": {}})
        return GrpcService.parse(manifest)

    async def find(self, service: GrpcService) -> Found:
        """Returns what a reconcile finds: without waiting, however long the server takes."""
        return await self._sources.find(service)


async def test_hanging_servers_of_a_namespace_do_not_delay_a_neighbour() -> None:
    """Its descriptor is read while all of theirs are pending, and few of those are called."""
    servers = Servers()
    async with servers.started(), serving(real_servicer(), ["v1"]) as good:
        named = {f"198.18.0.{number}": each for number, each in enumerate(servers.targets)}
        services = Services(named | {"198.18.1.0": good})
        hanging = [services.add("mallory", f"a{index}", ip) for index, ip in enumerate(named)]
        for each in hanging:
            await services.find(each)

        async def enough_hang() -> bool:
            return servers.open == limits.CALLS_OF_NAMESPACE.value

        await until(enough_hang, "the first of them are called")
        neighbour = services.add("shop", "users", "198.18.1.0")
        assert (await services.find(neighbour)).pinned is None

        async def is_read() -> bool:
            return bool(services.ended)

        await until(is_read, "the neighbour's descriptor is read")
        found = await services.find(neighbour)
        pending = [(await services.find(each)).problem for each in hanging]
        for each in hanging:
            services.calls.forget(Key("GrpcService", "mallory", each.metadata.name))

        assert found.problem is None
        assert found.pinned is not None
        assert services.ended == [Key("GrpcService", "shop", "users")]
        assert {each.message for each in pending if each is not None} == {
            "The descriptor is being read from a ready pod by reflection"
        }
        assert servers.most == limits.CALLS_OF_NAMESPACE.value
