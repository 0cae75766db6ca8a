"""From what the cluster holds to what every proxy should hold, rebuilt whenever it changes.

Runs on every replica of the operator, leader or not: a proxy may be connected to any of them.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from grpc_operator.api import GrpcGateway
from grpc_operator.controlplane import revisions
from grpc_operator.controlplane.attachment_state import (
    Attached,
    AttachmentState,
    Built,
    Unresolved,
    gateway_of,
)
from grpc_operator.controlplane.attachments import Attachments, Made
from grpc_operator.controlplane.gateway_group import GatewayGroup
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import version_of
from grpc_operator.controlplane.pace import Pace
from grpc_operator.engine.store import Store
from grpc_operator.engine.turns import in_turns
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Key, Manifest, of_kind

logger = logging.getLogger(__name__)

_Version = tuple[object, ...]
"""Of an owner: its spec's, and what its status says of its claims and revisions."""


ATTACHING = 0.1
"""Seconds after which a build attaches no more services: then it publishes those that it has."""


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
        gateways: The gateways.
        pace: When it builds.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        store: Store,
        publisher: Publisher,
        enqueue: Callable[[Key], None],
        attachments: Attachments,
        gateways: Gateways,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._enqueue = enqueue
        self._attachments = attachments
        self._gateways = gateways
        self._pace = pace or Pace()
        self._dirty: set[Key] = set()
        self._namespaces_dirty = False
        self._read: dict[Key, _Version] = {}
        self._groups: dict[Key, GatewayGroup] = {}
        self._loading: dict[Key, asyncio.Task[None]] = {}
        self._states: dict[Key, AttachmentState] = {}
        self._last_turn = ""
        self._left: set[Key] = set()

    def mark_dirty(self, key: Key) -> None:
        """Something that belongs to an owner has changed in the store."""
        self._dirty.add(key)
        self._pace.want()

    def owner_changed(self, key: Key, manifest: Manifest) -> None:
        """An owner was created or changed.

        Of its status, which changes often, only ``claims`` count, and of ``revisions`` what the
        routes are made of.
        """
        if "deletionTimestamp" in manifest["metadata"] or self._read.get(key) != _version(manifest):
            self.mark_dirty(key)

    def namespaces_changed(self) -> None:
        """A Namespace was created, changed or deleted."""
        self._namespaces_dirty = True
        self._pace.want()

    def mark_all_dirty(self) -> None:
        """Anything may have changed in the store."""
        self._dirty.update(self._store.owners(), self._groups, self._states)
        self._namespaces_dirty = True
        self._pace.want()

    async def run(self) -> None:
        """Builds after every change, until cancelled."""
        async for _ in self._pace.builds():
            await self._build(self._read_dirty())

    def state(self, key: Key) -> AttachmentState | None:
        """Returns what was last built of a service; ``None`` before, or without a gateway."""
        return self._states.get(key)

    def gateway(self, key: Key) -> GrpcGateway | None:
        """Returns a gateway as it was last valid; ``None`` if there is none that ever was."""
        return self._gateways.get(key)

    def unwatched_selectors(self, key: Key) -> list[str]:
        """Returns the fields of a gateway that select namespaces which are not watched."""
        return self._gateways.unwatched_selectors(key)

    def latest_acceptance(self, gateway: Key) -> str:
        """Returns when a claim was accepted last at a gateway (RFC 3339); empty if none was."""
        group = self._groups.get(gateway)
        return group.latest if group is not None else ""

    def attached(self, gateway: Key) -> list[Key]:
        """Returns the services that a gateway serves."""
        return [key for key, state in self._states.items() if gateway_of(state) == gateway]

    async def build(self) -> None:
        """Builds everything that is dirty, with the descriptors that are still to be loaded."""
        while True:
            services = self._read_dirty()
            while self._loading:
                await asyncio.wait(self._loading.values())
                services |= self._read_dirty()
            await self._build(services)
            if not self._dirty and not self._left:
                return

    async def _build(self, services: set[Key]) -> None:
        """Attaches services, and publishes every gateway; both are made beside the event loop.

        What takes too long is left to the next build, in which the namespaces take turns again.
        """
        for gone in self._groups.keys() - set(self._gateways):
            del self._groups[gone]
            self._publisher.withdraw(gone)
        for gateway in self._gateways:
            self._groups.setdefault(gateway, GatewayGroup())
        states: dict[Key, AttachmentState | None] = {}
        for key, made in (await self._attach(in_turns(services, self._last_turn))).items():
            self._place(key, made, states)
        for key, group in self._groups.items():
            states.update(await self._publish(key, group))
        self._set_states(states)

    def _read_dirty(self) -> set[Key]:
        """Reads what is dirty; returns the services to attach.

        Those whose descriptors have to be loaded stay as they are until that is done: nobody else
        waits for it.
        """
        services, self._left = self._left, set()
        while self._dirty or self._namespaces_dirty:
            if self._namespaces_dirty:
                self._namespaces_dirty = False
                if self._gateways.read_namespaces():
                    self.mark_all_dirty()
                    self._namespaces_dirty = False
            dirty, self._dirty = self._dirty, set()
            for key in dirty:
                if key.kind == GRPC_GATEWAYS.kind:
                    self._read_gateway(key)
                elif self._read_service(key):
                    services.add(key)
                else:  # it was read before its gateway was
                    services.discard(key)
        self._pace.taken()
        return services

    def _read_service(self, key: Key) -> bool:
        """Reads a service; returns whether its descriptor is there as well."""
        if key in self._loading:
            return False
        self._note_version(key)
        load = self._attachments.refresh(key, self._gateways)
        if load is not None:
            self._loading[key] = asyncio.create_task(self._load(key, load))
        return load is None

    async def _load(self, key: Key, load: Callable[[], Awaitable[None]]) -> None:
        try:
            await load()
        finally:
            del self._loading[key]
            self.mark_dirty(key)

    def _read_gateway(self, key: Key) -> None:
        self._note_version(key)
        if self._gateways.read(key):
            # Whom it admits, and to which hosts, may be others now.
            self.mark_all_dirty()

    def _note_version(self, key: Key) -> None:
        manifest = self._store.get(of_kind(key.kind), key.namespace, key.name)
        if manifest is None:
            self._read.pop(key, None)
        else:
            self._read[key] = _version(manifest)

    async def _attach(self, services: Sequence[Key]) -> dict[Key, Made]:
        """Attaches services until the time is up; the others are left to the next build.

        All in one thread: with one for each, each would wait for the event loop, and it for them.
        """
        made: dict[Key, Made] = {}
        making: dict[Key, Callable[[], Made]] = {}
        for key in services:
            try:
                found = self._attachments.attach(key, self._gateways)
            except Exception:
                logger.exception("Bug: cannot attach %s", key)
                continue
            if callable(found):
                making[key] = found
            else:
                made[key] = found
        if making:
            attached, left = await asyncio.to_thread(_make, making)
            made |= attached
            self._left |= left
            self._last_turn = [key for key in services if key not in left][-1].namespace
            if left:
                self._pace.want()
        return made

    def _place(self, key: Key, attached: Made, states: dict[Key, AttachmentState | None]) -> None:
        """Puts a service into the group of its gateway, and out of all others.

        Args:
            key: The service.
            attached: What became of it.
            states: Gets what is known of it now, if that is not what becomes of it in a snapshot.
        """
        served = None
        match attached:
            case None:
                states[key] = None
            case Unresolved():
                states[key] = attached
            case Attached(attachment=None):
                states[key] = Built(attached)
            case Attached():  # its state is what becomes of it in the snapshot
                served = attached
        for gateway, group in self._groups.items():
            if served is not None and served.gateway == gateway:
                found = self._attachments.endpoints(key)
                group.put(key, served, found, self._accepted(key, gateway))
            else:
                group.drop(key)

    async def _publish(self, key: Key, group: GatewayGroup) -> dict[Key, Built]:
        """Publishes the configuration of a gateway; returns the services that changed in it."""
        try:
            what = self._gateways.ir(key), self._gateways.limits(key)
            if group.is_built(*what):
                return {}
            snapshot, built = await asyncio.to_thread(group.build, *what)
        except InvalidSpecError as error:
            # Its own reconcile reports it; the proxies keep what they have.
            logger.warning("Cannot configure GrpcGateway %s: %s", key.namespaced_name, error)
        except Exception:
            logger.exception("Bug: cannot build the configuration of GrpcGateway %s", key)
        else:
            self._publisher.publish(key, snapshot)
            self._shed(group, built)
            return built
        return {}

    def _shed(self, group: GatewayGroup, built: dict[Key, Built]) -> None:
        for key, refused in group.refused.items():
            served = built[key].attached.attachment
            assert served is not None  # noqa: S101 - its hosts, at least
            self._attachments.shed(key, refused, served)
        for key in group.again:
            if self._attachments.unshed(key):
                self.mark_dirty(key)

    def _set_states(self, states: Mapping[Key, AttachmentState | None]) -> None:
        """Sets what is known of services, and has the owners of what changed reconciled."""
        for key, new in states.items():
            old = self._states.pop(key, None)
            if new is not None:
                self._states[key] = new
            if old != new:
                self._enqueue(key)
                for gateway in {gateway_of(old)} ^ {gateway_of(new)}:  # it has more, or fewer
                    if gateway is not None:
                        self._enqueue(gateway)

    def _accepted(self, key: Key, gateway: Key) -> Acceptance:
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name) or {}
        return Acceptance.read(manifest.get("status") or {}, gateway)


def _make(making: Mapping[Key, Callable[[], Made]]) -> tuple[dict[Key, Made], set[Key]]:
    """Attaches services until the time is up; returns those, and the others.

    One that cannot be attached stays as it was.
    """
    made: dict[Key, Made] = {}
    left: set[Key] = set()
    deadline = time.monotonic() + ATTACHING
    for index, (key, make) in enumerate(making.items()):
        if index and time.monotonic() >= deadline:
            left.add(key)
            continue
        try:
            made[key] = make()
        except Exception:
            logger.exception("Bug: cannot attach %s", key)
    return made, left


def _version(manifest: Manifest) -> _Version:
    status = manifest.get("status") or {}
    return *version_of(manifest), status.get("claims"), revisions.version_of(manifest)
