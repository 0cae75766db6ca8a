"""One look at one GrpcService: read, build, converge, report."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from grpc_operator import desired, labels, names
from grpc_operator.api import GrpcService
from grpc_operator.errors import ForbiddenError, InvalidSpecError, NotFoundError, Problem
from grpc_operator.reconcile.children import Children, NamesakeLeavesError
from grpc_operator.reconcile.events import event
from grpc_operator.reconcile.ports import Cluster, View
from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, Manifest
from grpc_operator.status import events as status_events
from grpc_operator.status import summary
from grpc_operator.status.observed import Observed, Waiting

logger = logging.getLogger(__name__)

PROGRESS_PERIOD = 5.0
"""Seconds between two status writes that only tell how a rollout proceeds."""

BLOCKED_RETRY = 15.0
"""Seconds until another try when something outside the spec is in the way."""

Key = tuple[str, str]


class GrpcServiceReconciler:
    """Brings GrpcServices to their desired state and reports on them.

    Args:
        cluster: Where to write.
        view: What the cluster is known to hold.
        cluster_domain: DNS domain of the cluster.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        cluster: Cluster,
        view: View,
        cluster_domain: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cluster = cluster
        self._view = view
        self._cluster_domain = cluster_domain
        self._clock = clock
        self._children = Children(cluster, view)
        self._reported: dict[Key, float] = {}

    async def reconcile(self, key: Key) -> float | None:
        """Takes one look at a GrpcService.

        Returns:
            Seconds until the next look is due even if nothing happens, or ``None``.

        Raises:
            ClusterError: The look could not be finished; try again.
        """
        manifest = self._view.get(GRPC_SERVICES, *key)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._reported.pop(key, None)  # ownerReferences remove the rest
            if manifest is not None:
                self._children.forget(manifest["metadata"]["uid"])
            return None
        service, invalid = _parse(manifest)
        waiting = None
        if invalid is None:
            try:
                wanted = desired.build(service, cluster_domain=self._cluster_domain)
                await self._children.converge(service, wanted)
            except InvalidSpecError as error:
                invalid = error
            except NamesakeLeavesError as error:
                waiting = Waiting("WaitingForDeletion", str(error))
            except ForbiddenError as error:
                waiting = Waiting("Forbidden", f"The operator is not allowed to go on: {error}")
            except NotFoundError as error:
                waiting = Waiting("NotFound", f"The operator cannot go on: {error}")
        again = await self._report(manifest, self._observe(service, invalid, waiting))
        # A foreign object of the same name is not watched; that it goes is seen by looking again.
        conflict = invalid is not None and invalid.reason == "NameConflict"
        return BLOCKED_RETRY if waiting is not None or conflict else again

    def _observe(
        self, service: GrpcService, invalid: InvalidSpecError | None, waiting: Waiting | None
    ) -> Observed:
        metadata = service.metadata
        key = (metadata.namespace, metadata.name)
        deployment = self._view.get(DEPLOYMENTS, key[0], names.workload(metadata.name))
        if deployment is not None and labels.controller_uid(deployment) != metadata.uid:
            deployment = None
        return Observed(
            service=service,
            url=names.grpc_target(
                metadata.name, metadata.namespace, self._cluster_domain, service.spec.port
            ),
            selector=labels.selector_text(metadata.name),
            invalid=invalid,
            waiting=waiting,
            deployment=deployment,
            pods=self._view.belonging(key, pods=True),
        )

    async def _report(self, manifest: Manifest, observed: Observed) -> float | None:
        old = manifest.get("status") or {}
        now = self._clock()
        new = summary.build(observed, _rfc3339(now))
        if new == old:
            return None
        metadata = manifest["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if _only_progress(old, new):
            due = self._reported.get(key, 0.0) + PROGRESS_PERIOD - now
            if due > 0:
                return due
        try:
            answer = await self._cluster.apply_status(_status_patch(metadata, new))
        except NotFoundError:
            # The watch has missed its deletion. Without this, what the garbage collector removes
            # would be made again and again until the next resync.
            self._view.discard(GRPC_SERVICES, manifest)
            return None
        self._view.put(GRPC_SERVICES, answer)
        self._reported[key] = now
        for note in status_events.notes(old, new):
            logger.info("%s: %s", note.reason, note.message, extra=_where(key))
            await self._cluster.create_event(event(manifest, note, _rfc3339(now)))
        return None


def _parse(manifest: Manifest) -> tuple[GrpcService, InvalidSpecError | None]:
    try:
        return GrpcService.parse(manifest), None
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in entry["loc"]), entry["msg"])
            for entry in error.errors()
        ]
        # Enough of the object to report on it: its identity, and a spec that is not looked at.
        stand_in = {**manifest, "spec": {"image": "invalid"}}
        return GrpcService.parse(stand_in), InvalidSpecError(problems)


def _status_patch(metadata: dict[str, Any], status: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": GRPC_SERVICES.api_version,
        "kind": GRPC_SERVICES.kind,
        "metadata": {key: metadata[key] for key in ("namespace", "name", "uid")},
        "status": status,
    }


def _only_progress(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether both statuses tell of the same rollout under way, further along."""

    def verdict(status: dict[str, Any]) -> list[tuple[Any, ...]]:
        return [
            (condition["type"], condition["status"], condition["observedGeneration"])
            + ((condition["reason"],) if condition["type"] == "Ready" else ())
            for condition in status.get("conditions") or ()
            if condition["type"] != "Available"
        ]

    reconciling = ("Reconciling", "True", new["observedGeneration"])
    return reconciling in verdict(new) and verdict(old) == verdict(new)


def _where(key: Key) -> dict[str, str]:
    return {"namespace": key[0], "service": key[1]}


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
