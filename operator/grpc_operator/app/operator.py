"""The composition root: wires the parts and runs them until the process has to end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.app import certificates, gc_freeze, startup
from grpc_operator.app.certificates import ServingCertificates
from grpc_operator.app.gateway_settings import gateway_settings
from grpc_operator.app.http import HttpServer
from grpc_operator.app.metrics import Metrics
from grpc_operator.app.object_metrics import ObjectMetrics
from grpc_operator.app.proxies import ConnectedProxies
from grpc_operator.app.reconnect_grace import ReconnectGrace
from grpc_operator.app.replicas import ReplicaServer, Trust, read_token
from grpc_operator.app.revision_metrics import RevisionMetrics
from grpc_operator.app.watches import Watches
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.identities import ProxyAuthenticator, ReplicaAuthenticator
from grpc_operator.controlplane.owners import Owners
from grpc_operator.controlplane.pace import Pace
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.queue import Queue
from grpc_operator.engine.resync import Resync
from grpc_operator.engine.store import Store
from grpc_operator.engine.workers import Reconcile, work
from grpc_operator.kube.cluster import Cluster
from grpc_operator.kube.connection import Connection
from grpc_operator.kube.lease import Lease
from grpc_operator.kube.other_leases import OtherLeases
from grpc_operator.kube.token_reviews import TokenReviews
from grpc_operator.probe import pod_health, proxy_stats
from grpc_operator.reconcile import one_writer
from grpc_operator.reconcile.call_statistics import CallStatistics
from grpc_operator.reconcile.call_sums import Reading
from grpc_operator.reconcile.descriptor_sources import DescriptorSources
from grpc_operator.reconcile.grpc_gateway import GrpcGatewayReconciler
from grpc_operator.reconcile.grpc_service import GrpcServiceReconciler
from grpc_operator.reconcile.one_writer import OneWriter
from grpc_operator.reconcile.pod_inspection import PodInspection
from grpc_operator.reconcile.programmed import Programmed
from grpc_operator.reconcile.rollouts import Rollouts
from grpc_operator.reconcile.schema_gate import SchemaGate
from grpc_operator.reflection import fetch
from grpc_operator.resources import (
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    Key,
    of_kind,
    watched,
)
from grpc_operator.settings import Settings
from grpc_operator.xds.server import AdsServer

logger = logging.getLogger(__name__)

_STOP_TIMEOUT = 2.0
"""Seconds that watches and servers get to end after the Lease is released."""


class Operator:
    """One operator process."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._store = Store()
        pace = Pace()
        self._queue: Queue[Key] = Queue(group=lambda key: key.namespace, before=pace.give_way)
        self._metrics = Metrics()
        where = (settings.lease_namespace, settings.lease_name)
        self._lease = Lease(
            connection,
            where,
            settings.identity or socket.gethostname(),
            settings.lease_duration_seconds,
        )
        find = OtherLeases(connection).created
        self._one_writer = OneWriter("/".join(where), lambda: self._lease.created, find)
        self._cluster = Cluster(connection, lambda: self._lease.held, self._metrics)
        self._certificates = ServingCertificates(
            certificates.source(settings, connection), self._ca_changed
        )
        reviews = TokenReviews(connection)
        self._ads = AdsServer(self._proxies_changed, ProxyAuthenticator(self._store, reviews))
        token = partial(read_token, Path(settings.replica_token_folder))
        self._proxies = ConnectedProxies(
            self._ads, settings, lambda: Trust(self._certificates.ca, settings.xds_host, token())
        )
        self._replicas = ReplicaServer(
            ReplicaAuthenticator(reviews),
            token,
            self._proxies.list_local,
            self._proxies.loads_here,
        )
        self._services = Owners(GrpcService, {"image": "placeholder"})
        self._gateways = Owners(GrpcGateway, {})
        self._descriptors = DescriptorCache(self._store)
        self._control_plane = ControlPlane(
            self._store,
            self._ads,
            self._queue.add,
            Attachments(self._store, self._services, self._descriptors, settings.lease_namespace),
            Gateways(
                self._store,
                self._gateways,
                settings.cluster_domain,
                with_namespaces=not settings.watch_namespaces,
            ),
            pace,
        )
        self._resync = Resync(
            watched(settings.watch_namespaces),
            partial(startup.list_watched, self._cluster, settings),
            self._store,
            self._queue,
            self._control_plane.mark_all_dirty,
        )
        self._reconnect_grace = ReconnectGrace(self._store, self._proxies, self._control_plane)
        readings = Calls[Reading](self._queue.add)
        self._statistics = CallStatistics(self._store, self._proxies, readings, proxy_stats.read)
        self._reconcilers = self._make_reconcilers()
        self._unready = "starting"
        self._http = HttpServer(
            self._metrics,
            self._why_unready,
            self._notices,
        )
        self._synced = asyncio.Event()
        self._stop = asyncio.Event()
        self._add_gauges()

    def _make_reconcilers(self) -> dict[str, Reconcile]:
        settings = self._settings
        operator = f"{settings.lease_namespace}/{settings.lease_name}"
        programmed = Programmed(self._store, self._proxies, Calls(self._queue.add))
        services = GrpcServiceReconciler(
            self._cluster,
            self._store,
            self._services,
            settings.service_pods_may,
            settings.cluster_domain,
            DescriptorSources(
                Calls(partial(self._queue.add, first=True)),
                self._cluster,
                self._store,
                self._descriptors,
                fetch,
            ),
            programmed,
            PodInspection(
                Calls(self._queue.add), Calls(self._queue.add), self._cluster, pod_health.check
            ),
            self._control_plane,
            self._rollouts(programmed),
            operator,
        )
        gateways = GrpcGatewayReconciler(
            self._cluster,
            self._store,
            self._gateways,
            settings.cluster_domain,
            lambda: gateway_settings(settings, self._certificates.ca),
            self._proxies,
            self._control_plane,
            operator,
        )
        return {
            GRPC_SERVICES.kind: services.reconcile,
            GRPC_GATEWAYS.kind: gateways.reconcile,
        }

    def _rollouts(self, programmed: Programmed) -> Rollouts:
        gate = SchemaGate(Calls(self._queue.add), self._descriptors)
        return Rollouts(self._store, programmed, self._statistics, gate)

    async def _reconcile(self, key: Key) -> float | None:
        live = self._store.get(of_kind(key.kind), key.namespace, key.name)
        wait = await self._one_writer.wait(key, live)
        return await self._reconcilers[key.kind](key) if wait is None else wait

    def _proxies_changed(self, gateway: Key, services: Iterable[Key] | None = None) -> None:
        for key in (gateway, *(services or self._control_plane.attached(gateway))):
            self._queue.add(key)

    def _gateway_keys(self) -> list[Key]:
        return [key for key in self._store.owners() if key.kind == GRPC_GATEWAYS.kind]

    def _ca_changed(self) -> None:
        for key in self._gateway_keys():
            self._queue.add(key)

    def _set_unready(self, why: str) -> None:
        self._unready = why

    def _why_unready(self) -> str:
        why = self._unready or self._certificates.why_unready
        problem = self._connection.availability.problem
        return f"{problem}; {why}" if why and problem and problem not in why else why

    def _notices(self) -> str:
        """Returns what a ready process has to say: it serves the proxies also in an outage."""
        said = (self._connection.availability.problem, one_writer.summary(self._one_writer.left))
        return "\n".join(filter(None, said))

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
        await startup.wait_for_crds(self._cluster, self._set_unready)
        self._set_unready("the caches are not synced yet")
        ready = asyncio.Event()
        watches = Watches(
            self._settings,
            self._store,
            self._queue,
            self._metrics,
            self._control_plane,
            self._connection,
        )
        running = _spawn(watches.run(self._stop, ready))
        first = _spawn(ready.wait())
        await asyncio.wait({running, first}, return_when=asyncio.FIRST_COMPLETED)
        self._catch_signals()  # kopf installs its own, which do not release the Lease
        await startup.list_everything(self._resync)
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
            tasks.create_task(self._certificates.keep())
            tls = await self._certificates.wait()
            port = await self._ads.start(
                self._settings.xds_port, tls, handlers=[self._replicas.handler()]
            )
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
            await startup.list_everything(self._resync)
            await self._reconnect_grace.wait()
            tasks.create_task(self._resync.forever(self._settings.resync_seconds))
            tasks.create_task(self._proxies.watch_others(self._gateway_keys, self._proxies_changed))
            for _ in range(self._settings.workers):
                tasks.create_task(work(self._queue, self._reconcile, self._metrics.reconciled))

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
        if self._settings.object_metrics == "Enabled":
            add_collector, leads = self._metrics.registry.register, lambda: self._lease.held
            add_collector(ObjectMetrics(self._store, leads))
            add_collector(RevisionMetrics(self._store, self._statistics.known, leads))
        add(
            "objects_of_other_operators",
            "GrpcServices and GrpcGateways that this operator leaves to another one.",
            lambda: float(len(self._one_writer.left)),
        )
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


def _spawn(what: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    return asyncio.create_task(what)
