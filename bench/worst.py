"""What the largest objects of one namespace do to the others, to the operator and to a proxy.

The control plane runs in this process, with its xDS server and a real Envoy.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from tests.envoy.envoy import Envoy
from tests.xds_access import Access, Named, certificates, tls, token

from bench import gateways
from bench import worst_objects as objects
from bench.errors import BenchError
from bench.figures import Figure, percentile
from bench.processes import rss_mib
from bench.worst_objects import Kind
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.app import gc_freeze
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import Owners
from grpc_operator.descriptor import load
from grpc_operator.engine.store import Store
from grpc_operator.resources import (
    CONFIG_MAPS,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    Key,
    Manifest,
    gateway_key,
    service_key,
)
from grpc_operator.xds.server import AdsServer

LAG_MS, CHANGE_MS, REST_RATIO, PROXY_MIB, OPERATOR_MIB = 50.0, 1000.0, 1.1, 64.0, 200.0

_GATEWAY = gateway_key("infra", "default")
_NEIGHBOUR = service_key("neighbour", "users")
_MS = 1e3
_SECONDS = 120.0
_CALLS = 300
_NODE = "bench-0"
_PORT = 23719
"""A GrpcGateway allows ports up to 50000, which free ones are above."""

Say = Callable[[str], None]


async def worst(say: Say) -> list[Figure]:
    """Measures each kind alone, then a hundred refused objects at once."""
    found: list[Figure] = []
    for kind in objects.KINDS:
        size, data = await asyncio.to_thread(objects.largest, kind)
        say(f"{kind.name}: the largest that is accepted has size {size}, {len(data)} bytes")
        async with _started() as field:
            found += await field.measure(kind, [data])
    refused = await asyncio.to_thread(lambda: load(objects.REFUSED.make(objects.REFUSED.most)).data)
    say(f"refused: 100 objects, {len(refused)} bytes each")
    async with _started() as field:
        found += await field.measure(objects.REFUSED, [refused] * 100)
    return found


@dataclass
class _Field:
    """A control plane with a proxy, and the service of a neighbour."""

    store: Store
    plane: ControlPlane
    ads: AdsServer
    envoy: Envoy
    port: int
    lags: list[float] = field(default_factory=list)
    changed: int = 1

    async def measure(self, kind: Kind, sets: list[bytes]) -> list[Figure]:
        """Adds objects; returns what the neighbour, the event loop and the memory showed."""
        await self.change()
        before, proxy = await self.call(), rss_mib(self.envoy.process.pid)
        self.lags.clear()
        keys = []
        for number, data in enumerate(sets):
            keys.append(self._add(kind, f"a{number}", data))
            await asyncio.sleep(0)  # each comes by an event of its own
        changes = [await self.change() for _ in range(3)]
        while not all(self._settled(key) for key in keys):
            changes.append(await self.change())
        changes += [await self.change() for _ in range(3)]
        await asyncio.sleep(1)
        name = kind.name
        return [
            Figure(
                f"{name}: event loop, p99", percentile(self.lags, 0.99) * _MS, "ms", target=LAG_MS
            ),
            Figure(f"{name}: event loop, longest", max(self.lags) * _MS, "ms"),
            Figure(
                f"{name}: a neighbour's change, longest", max(changes) * _MS, "ms", target=CHANGE_MS
            ),
            Figure(
                f"{name}: a neighbour's REST, p50",
                await self.call() / before,
                "x",
                target=REST_RATIO,
            ),
            Figure(
                f"{name}: a proxy",
                rss_mib(self.envoy.process.pid) - proxy,
                "MiB more",
                target=PROXY_MIB,
            ),
            Figure(
                f"{name}: operator, with the bench",
                rss_mib(os.getpid()),
                "MiB",
                target=OPERATOR_MIB,
            ),
        ]

    def _add(self, kind: Kind, name: str, data: bytes) -> Key:
        manifest = objects.service(kind, name, 1)
        self.put(manifest, data)
        return service_key(objects.ATTACKER, name)

    def put(self, manifest: Manifest, data: bytes) -> None:
        """Creates or changes a service, as the watches would."""
        self.store.put(GRPC_SERVICES, manifest)
        self.store.put(CONFIG_MAPS, objects.config_map(manifest, data))
        meta = manifest["metadata"]
        self.plane.mark_dirty(service_key(meta["namespace"], meta["name"]))

    def _settled(self, key: Key) -> bool:
        state = self.plane.state(key)
        if not isinstance(state, Built):
            return False
        return state.attached.invalid is not None or self._acknowledged(key, state)

    def _acknowledged(self, key: Key, state: Built) -> bool:
        proxies = self.ads.proxies(_GATEWAY)
        return bool(proxies) and all(
            proxy.config_hashes.get(key) == state.config_hash for proxy in proxies
        )

    async def change(self) -> float:
        """Changes the neighbour's service; returns the seconds until the proxy has it."""
        self.changed += 1
        gateway = {
            "gatewayRef": {"name": _GATEWAY.name, "namespace": _GATEWAY.namespace},
            "hostnames": ["neighbour.example.com", f"n{self.changed}.example.com"],
        }
        manifest = objects.owner(_NEIGHBOUR, {"image": "a", "gateway": gateway}, self.changed)
        begin = time.perf_counter()
        self.put(manifest, _SMALL)
        while not self._has(self.changed):
            if time.perf_counter() - begin > _SECONDS:
                raise BenchError(f"the neighbour's change was not served in {_SECONDS:g} s")
            await asyncio.sleep(0.001)
        return time.perf_counter() - begin

    def _has(self, generation: int) -> bool:
        state = self.plane.state(_NEIGHBOUR)
        return (
            isinstance(state, Built)
            and state.attached.generation == generation
            and self._acknowledged(_NEIGHBOUR, state)
        )

    async def call(self) -> float:
        """Returns the p50 of the neighbour's REST calls in seconds; it has no pods."""
        times = []
        url, headers = f"http://127.0.0.1:{self.port}/n/1", {"host": "neighbour.example.com"}
        async with aiohttp.ClientSession() as session:
            for _ in range(_CALLS):
                begin = time.perf_counter()
                async with session.get(url, headers=headers) as answer:
                    await answer.read()
                times.append(time.perf_counter() - begin)
        return percentile(times, 0.5)

    async def watch_loop(self) -> None:
        """Measures by how much the event loop is late, until cancelled."""
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.005)
            self.lags.append(time.perf_counter() - begin - 0.005)


@asynccontextmanager
async def _started() -> AsyncIterator[_Field]:
    store, ads = Store(), AdsServer(lambda *_: None, Named())
    xds = await ads.start(0, tls(), "127.0.0.1")
    plane = ControlPlane(
        store,
        ads,
        lambda _key: None,
        Attachments(
            store,
            Owners(GrpcService, {"image": "a"}),
            DescriptorCache(store),
            _GATEWAY.namespace,
        ),
        Gateways(store, Owners(GrpcGateway, {}), "cluster.local", with_namespaces=True),
    )
    everybody = [_NEIGHBOUR.namespace, objects.ATTACKER]
    spec = {
        "listeners": [{"name": "http", "port": _PORT, "allowedNamespaces": {"from": "All"}}],
        "hostnames": [{"hostname": "*", "namespaces": everybody}],
    }
    store.put(GRPC_GATEWAYS, objects.owner(_GATEWAY, spec))
    plane.mark_all_dirty()
    await plane.build()
    gc_freeze.freeze()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        who = Access.write(folder, certificates().ca, token(_GATEWAY.namespaced_name, _NODE))
        stack.push_async_callback(ads.stop, 0)
        envoy = await stack.enter_async_context(gateways.connected(xds, _GATEWAY, who, _NODE))
        made = _Field(store, plane, ads, envoy, _PORT)
        for each in (plane.run(), made.watch_loop()):
            stack.callback(asyncio.create_task(each).cancel)
        await envoy.ready()
        yield made


_SMALL = load(objects.methods(3, "/n/N", package="n")).data
