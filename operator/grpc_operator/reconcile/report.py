"""Writes the status of an owner when it has changed, and the Events that are worth one."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from grpc_operator import resources
from grpc_operator.engine.store import Store
from grpc_operator.errors import NotFoundError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.event_objects import event_object
from grpc_operator.resources import Key, Manifest
from grpc_operator.status import conditions
from grpc_operator.status import events as status_events
from grpc_operator.status.observed import Observed

logger = logging.getLogger(__name__)

_COUNTERS = ("attachedServices", "proxies")
"""Fields of a gateway's status that many events change."""

PROGRESS_PERIOD = 5.0
"""Seconds between two status writes that only report the progress of a rollout."""


class Reporter:
    """Reports on owners of one kind.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self, cluster: Cluster, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._clock = clock
        self._reported: dict[Key, float] = {}

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._reported.pop(key, None)

    async def report(self, manifest: Manifest, observed: Observed) -> float | None:
        """Writes the status if it changed.

        Returns:
            Seconds until it is to be reconciled because a report of mere progress was postponed,
            or ``None``.

        Raises:
            ClusterError: Retry.
        """
        old = manifest.get("status") or {}
        now = self._clock()
        new = conditions.build(observed, old, _rfc3339(now))
        if new == old:
            return None
        metadata = manifest["metadata"]
        key = Key(manifest["kind"], metadata["namespace"], metadata["name"])
        if _only_progress(old, new):
            due = self._reported.get(key, 0.0) + PROGRESS_PERIOD - now
            if due > 0:
                return due
        resource = resources.of(manifest)
        try:
            answer = await self._cluster.apply_status(_status_patch(manifest, new))
        except NotFoundError:
            # The watch has missed its deletion. Without this, what the garbage collector removes
            # would be created over and over until the next resync.
            self._store.discard(resource, manifest)
            return None
        self._store.put(resource, answer)
        self._reported[key] = now
        where = {"kind": key.kind, "namespace": key.namespace, "service": key.name}
        for event in status_events.between(old, new):
            logger.info("%s: %s", event.reason, event.message, extra=where)
            await self._cluster.create_event(event_object(manifest, event, _rfc3339(now)))
        return None


def _status_patch(manifest: Manifest, status: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {key: manifest["metadata"][key] for key in ("namespace", "name", "uid")},
        "status": status,
    }


def _only_progress(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether only counters differ, or the progress of the same rollout."""

    def outcome(status: dict[str, Any]) -> list[tuple[Any, ...]]:
        return [
            (condition["type"], condition["status"], condition["observedGeneration"])
            + ((condition["reason"],) if condition["type"] == "Ready" else ())
            for condition in status.get("conditions") or ()
            if condition["type"] != "Available"
        ]

    if {**old, **dict.fromkeys(_COUNTERS)} == {**new, **dict.fromkeys(_COUNTERS)}:
        return True
    reconciling = ("Reconciling", "True", new["observedGeneration"])
    return reconciling in outcome(new) and outcome(old) == outcome(new)


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
