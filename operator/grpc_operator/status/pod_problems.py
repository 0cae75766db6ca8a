"""Finds out from the status of pods why one does not run."""

from collections.abc import Iterable, Mapping
from typing import Any

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.resources import Manifest
from grpc_operator.status.observed import Cause

_STARTING = {"ContainerCreating", "PodInitializing"}
"""Waiting reasons of a container that is starting normally (kubelet)."""

_MAX_TERMINATION_MESSAGE = 300
"""Characters of a container's termination message that go into a condition."""


def problem(pods: Iterable[Mapping[str, Any]]) -> Cause | None:
    """Returns why the newest failing pod does not run, or ``None`` if no pod fails."""
    newest_first = sorted(
        pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True
    )
    for pod in newest_first:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        found = _unschedulable(pod) or _container_problem(pod)
        if found is not None:
            return Cause(found.reason, f"Pod {pod['metadata']['name']}: {found.message}")
    return None


def answering(pods: Iterable[Manifest]) -> list[Manifest]:
    """Returns the pods that can be called: ready, with an address, and not terminating."""
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and _is_ready(pod)]


def _is_ready(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status", {})
    return bool(status.get("podIP")) and any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )


def _unschedulable(pod: Mapping[str, Any]) -> Cause | None:
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            reason = KubernetesReason(condition.get("reason", "")) or Reason.UNSCHEDULABLE
            return Cause(reason, condition.get("message") or "cannot be scheduled")
    return None


def _container_problem(pod: Mapping[str, Any]) -> Cause | None:
    status = pod.get("status", {})
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for container in containers:
        waiting = container.get("state", {}).get("waiting") or {}
        reason = KubernetesReason(waiting.get("reason", ""))
        if reason and reason not in _STARTING:
            message = waiting.get("message") or "the container does not start"
            text = f"container {container['name']}: {message}{_last_state(container)}"
            return Cause(reason, text)
    return None


def _last_state(container: Mapping[str, Any]) -> str:
    last = container.get("lastState", {}).get("terminated")
    if not last:
        return ""
    message = " ".join((last.get("message") or "").split())[-_MAX_TERMINATION_MESSAGE:]
    text = f"; last terminated: {last.get('reason', 'Error')} (exit code {last['exitCode']})"
    return f"{text}: {message}" if message else text
