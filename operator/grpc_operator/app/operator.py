"""The composition root: wires the parts and runs them until the process has to end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Coroutine
from typing import Any

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.app import gc_freeze
from grpc_operator.app.http import HttpServer
from grpc_operator.app.metrics import Metrics
from grpc_operator.app.proxies import ConnectedProxies
from grpc_operator.app.reconnect_grace import ReconnectGrace
from grpc_operator.app.watches import Watches
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.owners import Owners
from grpc_operator.desired.gateway import GatewaySettings
from grpc_operator.engine.queue import Queue
from grpc_operator.engine.resync import Resync
from grpc_operator.engine.store import Store
from grpc_operator.engine.workers import Reconcile, work
from grpc_operator.errors import ClusterError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.kube.connection import Connection
from grpc_operator.kube.lease import Lease
from grpc_operator.reconcile.descriptor_sources import DescriptorSources
from grpc_operator.reconcile.grpc_gateway import GrpcGatewayReconciler
from grpc_operator.reconcile.grpc_service import GrpcServiceReconciler
from grpc_operator.reconcile.programmed import Programmed
from grpc_operator.reflection import fetch
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, OWNERS, Key, Manifest, Resource
from grpc_operator.settings import Settings
from grpc_operator.xds.server import AdsServer

logger = logging.getLogger(__name__)

_STOP_TIMEOUT = 2.0
"""Seconds that watches and servers get to end after the Lease is released."""

_CRD_POLL = 2.0
"""Seconds between two checks for the CRDs."""


class Operator:
    """One operator process."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._store = Store()
        self._queue: Queue[Key] = Queue()
        self._metrics = Metrics()
        where = (settings.lease_namespace, settings.lease_name)
        self._lease = Lease(
            connection,
            where,
            settings.identity or socket.gethostname(),
            settings.lease_duration_seconds,
        )
        self._cluster = Cluster(connection, lambda: self._lease.held, self._metrics.wrote)
        self._ads = AdsServer(self._proxies_changed)
        self._proxies = ConnectedProxies(self._ads, settings)
        self._services = Owners(GrpcService, {"image": "placeholder"})
        self._gateways = Owners(GrpcGateway, {})
        self._descriptors = DescriptorCache(self._store)
        self._control_plane = ControlPlane(
            self._store,
            self._ads,
            self._queue.add,
            Attachments(self._store, self._services, self._descriptors, settings.lease_namespace),
            self._gateways,
        )
        self._resync = Resync(
            self._list_all, self._store, self._queue, self._control_plane.mark_all_dirty
        )
        self._reconnect_grace = ReconnectGrace(self._store, self._proxies, self._control_plane)
        self._reconcilers = self._make_reconcilers()
        self._unready = "starting"
        self._http = HttpServer(self._metrics, lambda: self._unready, self._proxies.list_local)
        self._synced = asyncio.Event()
        self._stop = asyncio.Event()
        self._add_gauges()

    def _make_reconcilers(self) -> dict[str, Reconcile]:
        settings = self._settings
        services = GrpcServiceReconciler(
            self._cluster,
            self._store,
            self._services,
            settings.cluster_domain,
            DescriptorSources(self._cluster, self._store, self._descriptors, fetch),
            Programmed(self._store, self._proxies),
            self._control_plane,
        )
        gateways = GrpcGatewayReconciler(
            self._cluster,
            self._store,
            self._gateways,
            settings.cluster_domain,
            _gateway_settings(settings),
            self._proxies,
            self._control_plane,
        )
        return {
            GRPC_SERVICES.kind: services.reconcile,
            GRPC_GATEWAYS.kind: gateways.reconcile,
        }

    async def _reconcile(self, key: Key) -> float | None:
        return await self._reconcilers[key.kind](key)

    def _proxies_changed(self, gateway: Key, services: frozenset[Key]) -> None:
        for key in (gateway, *services):
            self._queue.add(key)

    async def run(self) -> None:
        """Runs until SIGTERM, SIGINT or a failure after which the process must be restarted.

        Raises:
            LeaseLostError: Another replica may be writing.
            Exception: A watch failed for good.
        """
        self._catch_signals()
        await self._http.start(self._settings.http_port)
        logger.info("Serving /livez, /readyz and /metrics on port %d", self._http.port)
        heartbeat = asyncio.create_task(self._http.keep_heartbeat())
        watching, writing = _spawn(self._watch()), _spawn(self._write())
        serving, stopping = _spawn(self._serve()), _spawn(self._stop.wait())
        try:
            done, _ = await asyncio.wait(
                {watching, writing, serving, stopping}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            serving.cancel()
            await self._shut_down(watching, writing, heartbeat)

    async def _shut_down(
        self,
        watching: "asyncio.Task[Any]",
        writing: "asyncio.Task[Any]",
        heartbeat: "asyncio.Task[Any]",
    ) -> None:
        self._unready = "stopping"
        self._stop.set()
        writing.cancel()
        await asyncio.wait({writing})
        await self._lease.release()
        await self._ads.stop(_STOP_TIMEOUT)
        await asyncio.wait({watching}, timeout=_STOP_TIMEOUT)
        heartbeat.cancel()
        await self._http.stop()
        logger.info("Stopped")

    async def _watch(self) -> None:
        await self._wait_for_crds()
        ready = asyncio.Event()
        watches = Watches(
            self._settings, self._store, self._queue, self._metrics, self._control_plane
        )
        running = _spawn(watches.run(self._stop, ready))
        first = _spawn(ready.wait())
        await asyncio.wait({running, first}, return_when=asyncio.FIRST_COMPLETED)
        self._catch_signals()  # kopf installs its own, which do not release the Lease
        await self._full_resync()
        # Before any status is written, or services would be reported as not built yet.
        await self._control_plane.build()
        self._unready = ""
        self._synced.set()
        await running
        if not self._stop.is_set():
            raise RuntimeError("kopf ended unexpectedly")

    async def _serve(self) -> None:
        """Serves xDS on every replica, as soon as the whole cluster is known and built."""
        await self._synced.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(gc_freeze.freeze_periodically())
            port = await self._ads.start(self._settings.xds_port)
            logger.info("Serving xDS on port %d", port)
            self._reconnect_grace.start()
            await self._control_plane.run()

    async def _write(self) -> None:
        """Waits for the Lease, then reconciles for as long as it is held."""
        await self._synced.wait()
        await self._lease.acquire()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lease.keep())
            # Reconcile everything: the previous holder may have stopped in the middle of its work,
            # and a watch may have missed a deletion in the meantime.
            await self._full_resync()
            await self._reconnect_grace.wait()
            tasks.create_task(self._resync.forever(self._settings.resync_seconds))
            for _ in range(self._settings.workers):
                tasks.create_task(work(self._queue, self._reconcile, self._metrics.reconciled))

    async def _wait_for_crds(self) -> None:
        while missing := await self._missing_crds():
            verb = "is" if len(missing) == 1 else "are"
            self._unready = f"the CRD {' and '.join(missing)} {verb} not installed"
            logger.warning("Waiting for CRDs: %s", self._unready)
            await asyncio.sleep(_CRD_POLL)
        self._unready = "the caches are not synced yet"

    async def _missing_crds(self) -> list[str]:
        return [
            f"{owner.plural}.{owner.group}" for owner in OWNERS if not await self._is_served(owner)
        ]

    async def _is_served(self, owner: Resource) -> bool:
        try:
            return await self._cluster.is_served(owner)
        except ClusterError as error:
            logger.warning("%s", error)
            return False

    async def _full_resync(self) -> None:
        while True:
            try:
                await self._resync.once()
            except ClusterError as error:
                logger.warning("Waiting for the API server, cannot list: %s", error)
                await asyncio.sleep(_CRD_POLL)
            else:
                return

    async def _list_all(self, resource: Resource) -> tuple[list[Manifest], int]:
        selector = resource.label_selector
        if resource is GRPC_SERVICES:
            selector = self._settings.watch_label_selector
        items: list[Manifest] = []
        versions = []
        for namespace in self._settings.watch_namespaces or (None,):
            part, version = await self._cluster.list(resource, namespace, selector)
            items += part
            versions.append(version)
        return items, min(versions)

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

    def _add_gauges(self) -> None:
        add = self._metrics.gauge
        add("workqueue_depth", "Objects that wait for a worker.", lambda: self._queue.depth)
        add(
            "resync_age_seconds",
            "Seconds since the last complete resync with the API server.",
            lambda: self._resync.age,
        )
        add(
            "grpcgateways",
            "GrpcGateways in the cache.",
            lambda: float(len(self._store.all(GRPC_GATEWAYS))),
        )
        self._metrics.serve(self._ads.stats)
        add(
            "lease_held",
            "1 while this replica holds the Lease.",
            lambda: float(self._lease.held),
        )
        add(
            "grpcservices",
            "GrpcServices in the cache.",
            lambda: float(len(self._store.all(GRPC_SERVICES))),
        )


def _gateway_settings(settings: Settings) -> GatewaySettings:
    host, _, port = settings.xds_address.rpartition(":")
    return GatewaySettings(
        image=settings.envoy_image,
        image_pull_policy=settings.envoy_image_pull_policy or None,
        xds_host=host or "localhost",
        xds_port=int(port or settings.xds_port or 18000),
    )


def _spawn(what: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    return asyncio.create_task(what)
