"""From what the cluster holds to what every proxy should hold, again whenever it changes.

Runs on every replica of the operator, leader or not: a proxy may be connected to any of them.
"""

import asyncio
import dataclasses
import hashlib
import logging
from collections.abc import Callable
from typing import Protocol

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.types import seconds
from grpc_operator.gateway import ir
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.gateway.xds import Builder
from grpc_operator.reconcile.attachments import Attachments
from grpc_operator.reconcile.edge import Edge
from grpc_operator.reconcile.parsing import Parsed
from grpc_operator.reconcile.ports import View
from grpc_operator.resources import (
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    Key,
    Manifest,
)

logger = logging.getLogger(__name__)

_Version = tuple[str, ...]


class Publisher(Protocol):
    """The xDS server."""

    def publish(self, gateway: ir.Key, snapshot: Snapshot) -> None:
        """Hands a gateway's proxies their new configuration."""

    def withdraw(self, gateway: ir.Key) -> None:
        """Ends the configuration of a gateway that is gone."""


class ControlPlane:
    """Builds and publishes the configuration of every gateway.

    Args:
        view: What the cluster holds.
        publisher: Who hands it to the proxies.
        changed: Told every owner about which something is new to report.
        home: The operator's namespace, where a gateway may be that is named without one.
    """

    def __init__(
        self,
        view: View,
        publisher: Publisher,
        changed: Callable[[Key], None],
        home: str,
    ) -> None:
        self._view = view
        self._publisher = publisher
        self._changed = changed
        self._attachments = Attachments(view, home)
        self._wake = asyncio.Event()
        self._builders: dict[Key, Builder] = {}
        self._gateways = Parsed(GrpcGateway)
        self._endpoints: dict[Key, tuple[_Version, tuple[ir.Endpoint, ...]]] = {}
        self._told: dict[Key, Edge] = {}

    def touch(self) -> None:
        """Something has changed in the view."""
        self._wake.set()

    async def run(self) -> None:
        """Builds once, and again after every change, until cancelled."""
        while True:
            self._wake.clear()
            self.build()
            await asyncio.sleep(0)  # let what has arrived meanwhile be part of the next build
            await self._wake.wait()

    def edge(self, key: Key) -> Edge | None:
        """Returns what was last built from a service; ``None`` before, or without a gateway."""
        return self._told.get(key)

    def attached(self, gateway: Key) -> list[Key]:
        """Returns the services that a gateway serves."""
        return [key for key, edge in self._told.items() if edge.gateway == gateway]

    def build(self) -> None:
        """Builds everything whose inputs have changed and publishes it."""
        gateways = self._gateways.read(self._view.all(GRPC_GATEWAYS))
        edges = self._attachments.edges(gateways)
        groups: dict[Key, dict[Key, Edge]] = {gateway: {} for gateway in gateways}
        for key, edge in edges.items():
            if edge.gateway is not None and edge.attachment is not None:
                groups[edge.gateway][key] = edge
        for gateway, group in groups.items():
            try:
                edges.update(self._publish(gateway, gateways[gateway], group))
            except Exception:
                # The proxies keep what they have; the other gateways go on.
                logger.exception("Bug: cannot build the configuration of gateway %s", gateway)
        for gone in self._builders.keys() - gateways.keys():
            del self._builders[gone]
            self._publisher.withdraw(gone[1:])
        self._tell(edges)

    def _publish(self, key: Key, gateway: GrpcGateway, group: dict[Key, Edge]) -> dict[Key, Edge]:
        builder = self._builders.setdefault(key, Builder())
        attachments = [edge.attachment for edge in group.values() if edge.attachment is not None]
        hosts = {service[1:]: self._endpoints_of(service) for service in group}
        snapshot, refused = builder.build(gateway_ir(gateway), attachments, hosts)
        self._publisher.publish(key[1:], snapshot)
        return {
            service: dataclasses.replace(
                edge,
                endpoints=sum(not entry.draining for entry in hosts[service[1:]]),
                conflicts=tuple(refused.get(service[1:], ())),
                token=snapshot.tokens.get(service[1:]),
            )
            for service, edge in group.items()
        }

    def _tell(self, edges: dict[Key, Edge]) -> None:
        before, self._told = self._told, edges
        for key in before.keys() | edges.keys():
            old, new = before.get(key), edges.get(key)
            if old != new:
                self._changed(key)
                for gateway in {edge.gateway for edge in (old, new) if edge is not None}:
                    if gateway is not None:
                        self._changed(gateway)

    def _endpoints_of(self, key: Key) -> tuple[ir.Endpoint, ...]:
        service = names.headless_service(key.name)
        slices = [
            manifest
            for manifest in self._view.belonging(key, ENDPOINT_SLICES)
            if manifest["metadata"]["labels"].get("kubernetes.io/service-name") == service
        ]
        version = tuple(sorted(_text_version(manifest) for manifest in slices))
        cached = self._endpoints.get(key)
        if cached is None or cached[0] != version:
            cached = (version, endpoints(slices))
            self._endpoints[key] = cached
        return cached[1]


def gateway_ir(gateway: GrpcGateway) -> ir.GatewayIr:
    """Returns what the proxies of a gateway are."""
    meta, spec = gateway.metadata, gateway.spec
    return ir.GatewayIr(
        key=(meta.namespace, meta.name),
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


def _text_version(manifest: Manifest) -> str:
    return f"{manifest['metadata']['name']}@{manifest['metadata']['resourceVersion']}"
