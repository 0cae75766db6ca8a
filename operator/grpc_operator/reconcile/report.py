"""Writes the status of an owner when it has changed, and the Events that are worth one."""

import logging
import time
from collections.abc import Callable
from typing import Any

from grpc_operator import hashing, resources
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError, NotFoundError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.event_objects import event_object, repeated
from grpc_operator.reconcile.passing import Passing
from grpc_operator.reconcile.rewrites import Rewrites
from grpc_operator.resources import Key, Manifest
from grpc_operator.rollout.state import State
from grpc_operator.status import conditions
from grpc_operator.status.events import Event, History
from grpc_operator.status.observed import Observed
from grpc_operator.timestamps import rfc3339

logger = logging.getLogger(__name__)

_COUNTERS = ("attachedServices", "proxies")
"""Fields of a gateway's status that many events change."""

PROGRESS_PERIOD = 5.0
"""Seconds between two status writes that only report the progress of a rollout."""

_PROGRESS_RATE = 5.0
"""Such writes a second, of all owners together: a burst of creates needs the API server itself."""
_PROGRESS_BURST = 10.0
"""Such writes at once."""


class Reporter:
    """Reports on owners of one kind.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        clock: Returns the time in seconds since the epoch.
        operator: ``status.operator``, the Lease of this operator.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        clock: Callable[[], float] = time.time,
        *,
        operator: str,
    ) -> None:
        self._operator = operator
        self._cluster = cluster
        self._store = store
        self._clock = clock
        self._reported: dict[Key, float] = {}
        self._spent = 0.0
        self._histories: dict[Key, tuple[str, History]] = {}
        self._rewrites = Rewrites(clock)
        self._passing = Passing()

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._reported.pop(key, None)
        self._histories.pop(key, None)
        self._rewrites.forget(lambda what: what == key)
        self._passing.forget(key)

    async def report(self, manifest: Manifest, observed: Observed) -> float | None:
        """Writes the status if it changed, and the Events that are due.

        Returns:
            Seconds until it is to be reconciled because something was postponed, or ``None``.

        Raises:
            ClusterError: Retry.
        """
        old = manifest.get("status") or {}
        now = self._clock()
        new = {**conditions.build(observed, old, rfc3339(now)), "operator": self._operator}
        metadata = manifest["metadata"]
        key = Key(manifest["kind"], metadata["namespace"], metadata["name"])
        passing = self._passing.wait(key, observed.next_step, now)
        wait = self._wait(key, old, new, now, passing) if new != old else None
        if new != old and wait is None and not await self._write(key, manifest, new, now):
            return None
        due = [wait, await self._report_events(key, manifest, new, now)]
        return min((entry for entry in due if entry is not None), default=None)

    async def announce(self, manifest: Manifest, event: Event) -> None:
        """Creates an Event that does not come from the condition Ready."""
        await self._create_event(manifest, event, rfc3339(self._clock()))

    def _wait(
        self, key: Key, old: dict[str, Any], new: dict[str, Any], now: float, passing: float
    ) -> float | None:
        """Returns in how many seconds a status may be written; ``None`` when it may be now."""
        if passing > 0 and _is_reconciling(new) and _is_decided_like(old, new):
            return passing
        only_progress = _only_progress(old, new)
        if only_progress:
            due = self._reported.get(key, 0.0) + PROGRESS_PERIOD - now
            if due > 0:
                return due
        if (only_progress or _begins(old, new)) and not self._may_report_progress(now):
            return PROGRESS_PERIOD
        wait = self._rewrites.due_in(key, _version(new))
        return wait if wait > 0 else None

    def _may_report_progress(self, now: float) -> bool:
        """Takes one of the progress reports that are left, if there is one (a token bucket)."""
        spent = max(self._spent, now - _PROGRESS_BURST / _PROGRESS_RATE) + 1 / _PROGRESS_RATE
        if spent > now:
            return False
        self._spent = spent
        return True

    async def _write(
        self, key: Key, manifest: Manifest, status: dict[str, Any], now: float
    ) -> bool:
        """Writes a status; returns whether the object still exists."""
        resource = resources.of(manifest)
        try:
            answer = await self._cluster.apply_status(_status_patch(manifest, status))
        except NotFoundError:
            # The watch has missed its deletion. Without this, what the garbage collector removes
            # would be created over and over until the next resync.
            self._store.discard(resource, manifest)
            return False
        self._store.put(resource, answer)
        self._reported[key] = now
        self._rewrites.wrote(key, _version(status))
        return True

    async def _report_events(
        self, key: Key, manifest: Manifest, status: dict[str, Any], now: float
    ) -> float | None:
        """Creates the Event that a status is worth; returns in how many seconds one may be."""
        uid = manifest["metadata"]["uid"]
        known, before = self._histories.get(key, ("", History()))
        if known != uid:
            before = History.of(manifest.get("status") or {})
        history, event = before.next(status, now)
        if event is not None:
            await self._create_event(manifest, event, rfc3339(now))
        self._histories[key] = uid, history
        return history.due_in(now)

    async def _create_event(self, manifest: Manifest, event: Event, now: str) -> None:
        metadata = manifest["metadata"]
        where = {
            "kind": manifest["kind"],
            "namespace": metadata["namespace"],
            "service": metadata["name"],
        }
        logger.info("%s: %s", event.reason, event.message, extra=where)
        made = event_object(manifest, event, now)
        try:
            await self._cluster.create_event(
                made, lambda live: {} if event.is_known else repeated(live, now)
            )
        except ClusterError as error:  # the condition says the same
            logger.warning("Event not created: %s", error, extra=where)


def _version(status: dict[str, Any]) -> str:
    """Returns a hash of a status apart from times, which begin anew where somebody removed it."""
    conditions = [{**each, "lastTransitionTime": ""} for each in status["conditions"]]
    text = hashing.canonical_json({**status, "conditions": conditions})
    return hashing.digest(text.encode())


def _status_patch(manifest: Manifest, status: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {key: manifest["metadata"][key] for key in ("namespace", "name", "uid")},
        "status": status,
    }


def _only_progress(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether only counters differ, or the progress of the same rollout."""
    if {**old, **dict.fromkeys(_COUNTERS)} == {**new, **dict.fromkeys(_COUNTERS)}:
        return True
    if not _is_decided_like(old, new):
        return False
    return _is_reconciling(new) and _outcome(old) == _outcome(new)


def _is_decided_like(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether nothing was decided that takes effect only with the status.

    Calls go to the revisions that it names, and until it says what was accepted, another object may
    get the same.
    """
    if old.get("claims") != new.get("claims"):
        return False
    return State.read(old).is_decided_like(State.read(new))


def _begins(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a status is the first one, and only says that the rollout has begun."""
    return not old.get("conditions") and not new.get("claims") and _is_reconciling(new)


def _is_reconciling(status: dict[str, Any]) -> bool:
    return ("Reconciling", "True", status["observedGeneration"]) in _outcome(status)


def _outcome(status: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (condition["type"], condition["status"], condition["observedGeneration"])
        + ((condition["reason"],) if condition["type"] == "Ready" else ())
        for condition in status.get("conditions") or ()
        if condition["type"] != "Available"
    ]
