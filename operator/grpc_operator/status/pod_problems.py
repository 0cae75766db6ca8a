"""Finds what a pod says about why it does not run."""

from collections.abc import Iterable, Mapping
from typing import Any

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.resources import Manifest
from grpc_operator.status.observed import Waiting

_STARTING = {"ContainerCreating", "PodInitializing"}
"""Waiting reasons of a pod that is on its way (kubelet)."""

_LAST_WORDS = 300
"""Characters of a container's own words that go into a message."""


def problem(pods: Iterable[Mapping[str, Any]]) -> Waiting | None:
    """Returns why the newest troubled pod does not run, or ``None`` when all are on their way."""
    newest_first = sorted(
        pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True
    )
    for pod in newest_first:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        found = _unschedulable(pod) or _container_problem(pod)
        if found is not None:
            return Waiting(found.reason, f"Pod {pod['metadata']['name']}: {found.message}")
    return None


def answering(pods: Iterable[Manifest]) -> list[Manifest]:
    """Returns the pods that can be called: ready, with an address, and not about to go."""
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and _is_ready(pod)]


def _is_ready(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status", {})
    return bool(status.get("podIP")) and any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )


def _unschedulable(pod: Mapping[str, Any]) -> Waiting | None:
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            reason = KubernetesReason(condition.get("reason", "")) or Reason.UNSCHEDULABLE
            return Waiting(reason, condition.get("message") or "cannot be scheduled")
    return None


def _container_problem(pod: Mapping[str, Any]) -> Waiting | None:
    status = pod.get("status", {})
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for container in containers:
        waiting = container.get("state", {}).get("waiting") or {}
        reason = KubernetesReason(waiting.get("reason", ""))
        if reason and reason not in _STARTING:
            words = waiting.get("message") or "the container does not start"
            return Waiting(reason, f"container {container['name']}: {words}{_last_exit(container)}")
    return None


def _last_exit(container: Mapping[str, Any]) -> str:
    last = container.get("lastState", {}).get("terminated")
    if not last:
        return ""
    words = " ".join((last.get("message") or "").split())[-_LAST_WORDS:]
    told = f": {words}" if words else ""
    return (
        f"; it last ended with {last.get('reason', 'Error')} (exit code {last['exitCode']}){told}"
    )
