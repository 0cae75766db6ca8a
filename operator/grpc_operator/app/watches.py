"""Watches by kopf: every object goes into the store, and the key of its owner onto the queue.

No kopf finalizer, annotation, progress or status storage is in use: ``on.event`` handlers write
nothing, and deletion of an object never waits for the operator.
"""

import asyncio
import logging
from typing import Any, cast

import kopf

from grpc_operator.app.metrics import Metrics
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.known_endpoints import addresses
from grpc_operator.controlplane.revision_pods import revision_of
from grpc_operator.engine.queue import Queue
from grpc_operator.engine.store import Store, owner_key
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    NAMESPACES,
    OWNERS,
    PODS,
    SERVICES,
    Key,
    Manifest,
    Resource,
    watched,
)
from grpc_operator.settings import Settings
from grpc_operator.status.pod_problems import answering

logger = logging.getLogger(__name__)

_BUILT_FROM = {GRPC_SERVICES, GRPC_GATEWAYS, CONFIG_MAPS, ENDPOINT_SLICES, SERVICES}
"""What the configuration of the proxies is built from; of pods, only their addresses are."""


class Watches:
    """Runs kopf inside this process's event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        settings: Settings,
        store: Store,
        queue: Queue[Key],
        metrics: Metrics,
        control_plane: ControlPlane,
        connection: Connection,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._control_plane = control_plane
        self._store = store
        self._queue = queue
        self._metrics = metrics

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Watches until stopped.

        Raises:
            Exception: A watch failed for good (kopf ends on HTTP 403, 404, 5xx after retries);
                the process must end and be restarted.
        """
        await kopf.operator(
            registry=self._registry(),
            settings=_kopf_settings(self._settings),
            standalone=True,
            # Unused without peering; by default made from a user name, which the image lacks.
            identity=cast("Any", "grpc-operator"),
            clusterwide=not self._settings.watch_namespaces,
            namespaces=self._settings.watch_namespaces,
            stop_flag=stop,
            ready_flag=ready,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        for resource in watched(self._settings.watch_namespaces):
            kopf.on.event(
                resource.group, resource.version, resource.plural, registry=registry, id="watch"
            )(self._handler(resource))
        return registry

    async def _login(self, **kwargs: Any) -> kopf.ConnectionInfo | None:
        if self._connection.in_cluster:
            return kopf.login_with_service_account(**kwargs)
        return kopf.ConnectionInfo(**await self._connection.credentials())

    def _handler(self, resource: Resource) -> Any:
        async def handle(event: kopf.RawEvent, **_: Any) -> None:
            self._metrics.watched(resource.kind)
            manifest: Manifest = dict(event["object"])
            manifest.setdefault("apiVersion", resource.api_version)
            manifest.setdefault("kind", resource.kind)
            metadata = manifest["metadata"]
            before = self._store.get(resource, metadata.get("namespace", ""), metadata["name"])
            if event["type"] == "DELETED":
                self._store.discard(resource, manifest)
                changed = True
            else:
                changed = self._store.put(resource, manifest)
            if resource is NAMESPACES:
                self._control_plane.namespaces_changed()
            # An object may change owners, which concerns both.
            for key in {owner_key(resource, each) for each in (before, manifest) if each}:
                if key is None:
                    continue
                # Also after our own writes, which nothing else reports to the control plane.
                if resource in OWNERS and event["type"] != "DELETED":
                    self._control_plane.owner_changed(key, manifest)
                elif resource in _BUILT_FROM or (
                    resource is PODS and _place(before, key) != _place(manifest, key)
                ):
                    self._control_plane.mark_dirty(key)
                if changed:  # neither our own write nor older than what is known
                    self._queue.add(key)
                    if resource is PODS and key.kind == GRPC_GATEWAYS.kind:
                        self._proxy_changed(key, before, manifest)

        return handle

    def _proxy_changed(self, gateway: Key, before: Manifest | None, now: Manifest) -> None:
        """Enqueues what a gateway serves when one of its proxies began or ceased to get calls."""
        if bool(answering([before] if before else [])) != bool(answering([now])):
            for service in self._control_plane.attached(gateway):
                self._queue.add(service)


def _place(pod: Manifest | None, key: Key) -> tuple[object, ...]:
    """Returns what the endpoints of a service depend on: addresses and revision of a pod."""
    return addresses(pod), revision_of(pod, key.name) if pod is not None else None


class _NoHistory(kopf.DiffBaseStorage):
    """Spares kopf a deep copy of every object, which it would compare with the one before."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Returns nothing to compare."""
        return cast("kopf.BodyEssence", {})

    def fetch(self, **_: Any) -> None:
        """Returns that nothing was kept."""

    def store(self, **_: Any) -> None:
        """Keeps nothing."""


def _kopf_settings(ours: Settings) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = _NoHistory()
    settings.scanning.disabled = True  # kopf starts after the CRDs are served
    settings.posting.enabled = False  # status.events decides about Events
    settings.watching.server_timeout = 290  # ends a watch that silently hangs
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.watching.chunk_size = 100  # parsed, a list takes much more than what is kept of it
    for resource in watched(ours.watch_namespaces):
        selector = resource.label_selector
        if resource is GRPC_SERVICES:
            selector = ours.watch_label_selector
        if selector:
            key = (resource.group, resource.version, resource.plural)
            settings.watching.label_selectors[key] = selector
    return settings
