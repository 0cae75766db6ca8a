"""From what the cluster holds to what every proxy should hold, again whenever it changes.

Runs on every replica of the operator, leader or not: a proxy may be connected to any of them.
"""

import asyncio
import dataclasses
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.types import seconds
from grpc_operator.controlplane.attachment_state import Edge
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.owners import Parsed
from grpc_operator.engine.store import Store
from grpc_operator.gateway import ir
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.envoy import Builder
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import ENDPOINT_SLICES, GRPC_GATEWAYS, Key, Manifest, gateway_key

logger = logging.getLogger(__name__)


class Publisher(Protocol):
    """The xDS server."""

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Hands a gateway's proxies their new configuration."""

    def withdraw(self, gateway: Key) -> None:
        """Ends the configuration of a gateway that is gone."""


class _Group:
    """What one gateway serves, and what was last built of it."""

    def __init__(self) -> None:
        self._builder = Builder()
        self.edges: dict[Key, Edge] = {}
        self._endpoints: dict[Key, tuple[ir.Endpoint, ...]] = {}

    def put(self, key: Key, edge: Edge, addresses: tuple[ir.Endpoint, ...]) -> None:
        """Adds a service, or sets what it is now."""
        taking = sum(not address.draining for address in addresses)
        self.edges[key] = dataclasses.replace(edge, endpoints=taking)
        self._endpoints[key] = addresses

    def drop(self, key: Key) -> None:
        """Removes a service, if it is there."""
        self.edges.pop(key, None)
        self._endpoints.pop(key, None)

    def build(self, gateway: GrpcGateway) -> Snapshot:
        """Builds the configuration; then each edge has its token and what it lost."""
        served = [edge.attachment for edge in self.edges.values() if edge.attachment is not None]
        snapshot, refused = self._builder.build(gateway_ir(gateway), served, self._endpoints)
        for key, edge in self.edges.items():
            token, conflicts = snapshot.tokens.get(key), tuple(refused.get(key, ()))
            if (edge.token, edge.conflicts) != (token, conflicts):
                self.edges[key] = dataclasses.replace(edge, token=token, conflicts=conflicts)
        return snapshot


class ControlPlane:
    """Builds and publishes the configuration of every gateway.

    A build looks again only at what was touched since the last one, so that a change costs about
    the same with ten services and with a thousand.

    Args:
        store: What the cluster holds.
        publisher: Who hands it to the proxies.
        changed: Told every owner about which something is new to report.
        home: The operator's namespace, where a gateway may be that is named without one.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        changed: Callable[[Key], None],
        home: str,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._changed = changed
        self._attachments = Attachments(store, home)
        self._gateways = Parsed(GrpcGateway)
        self._wake = asyncio.Event()
        self._touched: set[Key] = set()
        self._groups: dict[Key, _Group] = {}
        self._told: dict[Key, Edge] = {}

    def touch(self, key: Key) -> None:
        """Something has changed in the store that belongs to an owner."""
        self._touched.add(key)
        self._wake.set()

    def touch_owner(self, key: Key, manifest: Manifest) -> None:
        """An owner has come or changed; a status alone, which changes often, is nothing new."""
        read = self._gateways if key.kind == GRPC_GATEWAYS.kind else self._attachments
        if "deletionTimestamp" in manifest["metadata"] or not read.has(key, manifest):
            self.touch(key)

    def touch_all(self) -> None:
        """Anything may have changed in the store."""
        self._touched.update(self._store.owners(), self._groups, self._told)
        self._wake.set()

    async def run(self) -> None:
        """Builds again after every change, until cancelled."""
        while True:
            await self._wake.wait()
            await self.build()

    def edge(self, key: Key) -> Edge | None:
        """Returns what was last built from a service; ``None`` before, or without a gateway."""
        return self._told.get(key)

    def gateway(self, key: Key) -> GrpcGateway | None:
        """Returns a gateway as it was last built; ``None`` if there is none, or none to read."""
        return self._gateways.get(key)

    def attached(self, gateway: Key) -> list[Key]:
        """Returns the services that a gateway serves."""
        return [key for key, edge in self._told.items() if edge.gateway == gateway]

    async def build(self) -> None:
        """Builds everything that was touched and publishes it."""
        services = await self._read()
        gateways = self._gateways.all()
        for gone in self._groups.keys() - gateways.keys():
            del self._groups[gone]
            self._publisher.withdraw(gone)
        for gateway in gateways:
            self._groups.setdefault(gateway, _Group())
        told = dict(self._told)
        for key in services:
            edge = self._edge_of(key, gateways)
            told.pop(key, None)
            self._place(key, edge)
            if edge is not None:
                told[key] = edge
        for key, group in self._groups.items():
            try:
                self._publisher.publish(key, group.build(gateways[key]))
            except Exception:
                # The proxies keep what they have; the other gateways go on.
                logger.exception("Bug: cannot build the configuration of gateway %s", key)
            else:
                told.update(group.edges)
        self._tell(told)

    async def _read(self) -> set[Key]:
        """Reads what was touched; returns the services to look at."""
        services: set[Key] = set()
        while True:
            self._wake.clear()
            touched, self._touched = self._touched, set()
            known = self._gateways.all()
            for key in touched:
                if key.kind == GRPC_GATEWAYS.kind:
                    manifest = self._store.get(GRPC_GATEWAYS, key.namespace, key.name)
                    if self._gateways.read(key, manifest) is not known.get(key):
                        # Whom it admits may be others now.
                        self.touch_all()
                else:
                    services.add(key)
            if not await self._attachments.read(services) and not self._touched:
                return services

    def _edge_of(self, key: Key, gateways: Mapping[Key, GrpcGateway]) -> Edge | None:
        try:
            return self._attachments.edge(key, gateways)
        except Exception:
            # It stays as it was; the other services go on.
            logger.exception("Bug: cannot attach service %s", key)
            return self._told.get(key)

    def _place(self, key: Key, edge: Edge | None) -> None:
        """Puts a service into the group of its gateway, and takes it out of others."""
        for gateway, group in self._groups.items():
            if edge is None or edge.attachment is None or edge.gateway != gateway:
                group.drop(key)
            else:
                group.put(key, edge, self._endpoints_of(key))

    def _tell(self, edges: dict[Key, Edge]) -> None:
        before, self._told = self._told, edges
        for key in before.keys() | edges.keys():
            old, new = before.get(key), edges.get(key)
            if old is not new and old != new:
                self._changed(key)
                for gateway in {edge.gateway for edge in (old, new) if edge is not None}:
                    if gateway is not None:
                        self._changed(gateway)

    def _endpoints_of(self, key: Key) -> tuple[ir.Endpoint, ...]:
        service = names.headless_service(key.name)
        return endpoints(
            [
                manifest
                for manifest in self._store.belonging(key, ENDPOINT_SLICES)
                if manifest["metadata"]["labels"].get("kubernetes.io/service-name") == service
            ]
        )


def gateway_ir(gateway: GrpcGateway) -> ir.GatewayIr:
    """Returns what the proxies of a gateway are."""
    meta, spec = gateway.metadata, gateway.spec
    return ir.GatewayIr(
        key=gateway_key(meta.namespace, meta.name),
        listeners=tuple(
            ir.Listener(
                name=listener.name,
                port=names.proxy_port(listener.port),
                hostname=listener.hostname,
                tls=listener.tls is not None,
            )
            for listener in spec.listeners
        ),
        access_log=spec.access_log.mode == "JSON",
        drain_seconds=seconds(spec.drain.timeout),
        probe_host=probe_host(gateway),
    )


def probe_host(gateway: GrpcGateway) -> str:
    """Returns a host name that nobody guesses: the uid of an object is known to its readers."""
    digest = hashlib.sha256(f"probe/{gateway.metadata.uid}".encode()).hexdigest()[:40]
    return f"{digest}.probe.grpc.infera.dev"
