"""From what the cluster holds to what every proxy should hold, rebuilt whenever it changes.

Runs on every replica of the operator, leader or not: a proxy may be connected to any of them.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from grpc_operator import names, resources
from grpc_operator.api import GrpcGateway
from grpc_operator.controlplane.attachment_state import (
    Attached,
    AttachmentState,
    Built,
    Unresolved,
    gateway_of,
)
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.gateway_group import GatewayGroup
from grpc_operator.controlplane.owners import Owners, Version, version_of
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import ENDPOINT_SLICES, GRPC_GATEWAYS, Key, Manifest

logger = logging.getLogger(__name__)


class Publisher(Protocol):
    """The xDS server."""

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Hands a gateway's proxies their new configuration."""

    def withdraw(self, gateway: Key) -> None:
        """Ends the configuration of a gateway that is gone."""


class ControlPlane:
    """Builds and publishes the configuration of every gateway.

    A build reads only what was marked dirty since the last one, so that a change costs about the
    same with ten services and with a thousand.

    Args:
        store: What the cluster holds.
        publisher: Hands snapshots to the proxies.
        enqueue: Asks for a reconcile of an owner whose state has changed.
        attachments: Attaches services to gateways.
        gateways: Parses the gateways.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        enqueue: Callable[[Key], None],
        attachments: Attachments,
        gateways: Owners[GrpcGateway],
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._enqueue = enqueue
        self._attachments = attachments
        self._owners = gateways
        self._wake = asyncio.Event()
        self._dirty: set[Key] = set()
        self._read: dict[Key, Version] = {}
        self._gateways: dict[Key, GrpcGateway] = {}
        self._groups: dict[Key, GatewayGroup] = {}
        self._states: dict[Key, AttachmentState] = {}

    def mark_dirty(self, key: Key) -> None:
        """Something that belongs to an owner has changed in the store."""
        self._dirty.add(key)
        self._wake.set()

    def owner_changed(self, key: Key, manifest: Manifest) -> None:
        """An owner was created or changed; its status alone, which changes often, is ignored."""
        if "deletionTimestamp" in manifest["metadata"] or self._read.get(key) != version_of(
            manifest
        ):
            self.mark_dirty(key)

    def mark_all_dirty(self) -> None:
        """Anything may have changed in the store."""
        self._dirty.update(self._store.owners(), self._groups, self._states)
        self._wake.set()

    async def run(self) -> None:
        """Builds after every change, until cancelled."""
        while True:
            await self._wake.wait()
            await self.build()

    def state(self, key: Key) -> AttachmentState | None:
        """Returns what was last built of a service; ``None`` before, or without a gateway."""
        return self._states.get(key)

    def gateway(self, key: Key) -> GrpcGateway | None:
        """Returns a gateway as it was last built; ``None`` if there is none, or an invalid one."""
        return self._gateways.get(key)

    def attached(self, gateway: Key) -> list[Key]:
        """Returns the services that a gateway serves."""
        return [key for key, state in self._states.items() if gateway_of(state) == gateway]

    async def build(self) -> None:
        """Builds everything that is dirty and publishes it."""
        services = await self._read_dirty()
        for gone in self._groups.keys() - self._gateways.keys():
            del self._groups[gone]
            self._publisher.withdraw(gone)
        for gateway in self._gateways:
            self._groups.setdefault(gateway, GatewayGroup())
        states = dict(self._states)
        for key in services:
            self._attach(key, states)
        for key, group in self._groups.items():
            states.update(self._publish(key, group))
        self._set_states(states)

    async def _read_dirty(self) -> set[Key]:
        """Reads what is dirty; returns the services to attach."""
        services: set[Key] = set()
        while True:
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            for key in dirty:
                if key.kind == GRPC_GATEWAYS.kind:
                    self._read_gateway(key)
                else:
                    services.add(key)
            took_a_while = False
            for key in services:
                self._note_version(key)
                took_a_while |= await self._attachments.refresh(key)
            if not took_a_while and not self._dirty:
                return services

    def _read_gateway(self, key: Key) -> None:
        manifest, known = self._note_version(key), self._gateways.pop(key, None)
        if manifest is None:
            self._owners.forget(key)
            gateway = None
        else:
            parsed = self._owners.parse(key, manifest)
            gateway = parsed.owner if parsed.invalid is None else None
        if gateway is not None:
            self._gateways[key] = gateway
        if gateway is not known:
            # Whom it admits may be others now.
            self.mark_all_dirty()

    def _note_version(self, key: Key) -> Manifest | None:
        manifest = self._store.get(resources.of_kind(key.kind), key.namespace, key.name)
        if manifest is None:
            self._read.pop(key, None)
        else:
            self._read[key] = version_of(manifest)
        return manifest

    def _attach(self, key: Key, states: dict[Key, AttachmentState]) -> None:
        """Attaches a service: puts it into the group of its gateway, and out of all others."""
        try:
            attached = self._attachments.attach(key, self._gateways)
        except Exception:
            # It stays as it was; the other services go on.
            logger.exception("Bug: cannot attach %s", key)
            return
        served = None
        match attached:
            case None:
                states.pop(key, None)
            case Unresolved():
                states[key] = attached
            case Attached(attachment=None):
                states[key] = Built(attached)
            case Attached():  # its state is what becomes of it in the snapshot
                served = attached
        for gateway, group in self._groups.items():
            if served is not None and served.gateway == gateway:
                group.put(key, served, self._endpoints_of(key))
            else:
                group.drop(key)

    def _publish(self, key: Key, group: GatewayGroup) -> dict[Key, Built]:
        """Publishes the configuration of a gateway; returns what became of its services."""
        try:
            snapshot, built = group.build(self._gateways[key])
        except InvalidSpecError as error:
            # Its own reconcile reports it; the proxies keep what they have.
            logger.warning("Cannot configure GrpcGateway %s: %s", key.namespaced_name, error)
        except Exception:
            logger.exception("Bug: cannot build the configuration of GrpcGateway %s", key)
        else:
            self._publisher.publish(key, snapshot)
            return built
        return {}

    def _set_states(self, states: dict[Key, AttachmentState]) -> None:
        before, self._states = self._states, states
        for key in before.keys() | states.keys():
            old, new = before.get(key), states.get(key)
            if old is not new and old != new:
                self._enqueue(key)
                for gateway in {gateway_of(old), gateway_of(new)}:
                    if gateway is not None:
                        self._enqueue(gateway)

    def _endpoints_of(self, key: Key) -> tuple[ir.Endpoint, ...]:
        service = names.headless_service(key.name)
        return endpoints(
            manifest
            for manifest in self._store.belonging(key, ENDPOINT_SLICES)
            if manifest["metadata"]["labels"].get("kubernetes.io/service-name") == service
        )
