"""What the state of each kind of object means, in a word and a reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from grpc_operator.cli.live import health, text
from grpc_operator.resources import Manifest
from grpc_operator.status import pod_problems
from grpc_operator.status.pod_problems.pod import Pod
from grpc_operator.status.pod_reports import PodEvent, PodReports

_MOST_OF_A_REASON = 128
_TERMINATING = "Terminating"  # as kubectl says it


class State(NamedTuple):
    """The state of an object.

    Attributes:
        ready: ``True``, ``False``, ``Unknown``, or ``-`` for what is neither.
        reason: Why, or how many; may be empty.
        message: More about the reason; may be empty.
    """

    ready: str
    reason: str = ""
    message: str = ""


def state(manifest: Manifest, now: datetime, events: Mapping[str, PodEvent] | None = None) -> State:
    """Returns the state of an object.

    Args:
        manifest: A GrpcService or anything that belongs to it.
        now: The time.
        events: The last Warning of pods, by uid.
    """
    kind = manifest["kind"]
    if kind == "Pod":
        return of_pod(manifest, now, events or {})
    read = _STATES.get(kind)
    found = read(manifest) if read is not None else State("-")
    if manifest["metadata"].get("deletionTimestamp"):
        return State(found.ready, _TERMINATING, found.message)
    return found


def of_pod(manifest: Manifest, now: datetime, events: Mapping[str, PodEvent]) -> State:
    """Returns whether a pod is ready, and why not: what the operator would say about it alone."""
    pod = Pod(manifest)
    cause = pod_problems.problem([manifest], PodReports(now, events=events))
    ready = "True" if pod.is_ready else "False"
    if cause is not None:
        message = cause.message.removeprefix(f"Pod {pod.name}: ")
        return State(ready, text.line(cause.reason, _MOST_OF_A_REASON), text.line(message))
    if pod.is_terminating:
        return State(ready, _TERMINATING)
    return State(ready, "" if pod.is_ready else text.line(pod.status.get("phase"), 32))


def restarts(manifest: Manifest) -> int:
    """Returns how often containers of a pod were started again."""
    return sum(each.restarts for each in Pod(manifest).containers())


def _of_owner(manifest: Manifest) -> State:
    ready = text.line(health.condition(manifest, "Ready").get("status"), 16) or "Unknown"
    found = health.problems(manifest)
    if found:
        return State(ready, found[0].reason, found[0].message)
    return State(ready, text.line(health.status_of(manifest).get("readySummary"), 32))


def _of_workload(manifest: Manifest) -> State:
    wanted = int((manifest.get("spec") or {}).get("replicas") or 0)
    ready = int(health.status_of(manifest).get("readyReplicas") or 0)
    return State(str(ready >= wanted), f"{ready}/{wanted}")


def _of_slice(manifest: Manifest) -> State:
    endpoints = manifest.get("endpoints") or []
    found = [each.get("conditions") or {} for each in endpoints]
    ready = sum(each.get("ready") is not False for each in found)
    draining = sum(bool(each.get("terminating")) for each in found)
    counts = f"{ready} ready" + (f", {draining} terminating" if draining else "")
    return State(str(ready > 0), counts)


def _of_autoscaler(manifest: Manifest) -> State:
    found = health.condition(manifest, "ScalingActive")
    status = health.status_of(manifest)
    counts = f"{status.get('currentReplicas', 0)} of {status.get('desiredReplicas', 0)}"
    return _by_condition(found, counts)


def _of_budget(manifest: Manifest) -> State:
    found = health.condition(manifest, "DisruptionAllowed")
    allowed = health.status_of(manifest).get("disruptionsAllowed", 0)
    return _by_condition(found, f"{allowed} may be evicted")


def _by_condition(found: Mapping[str, Any], good: str) -> State:
    if found.get("status") == "False":
        reason = text.line(found.get("reason"), _MOST_OF_A_REASON)
        return State("False", reason, text.line(found.get("message")))
    return State(text.line(found.get("status"), 16) or "Unknown", good)


_STATES: Mapping[str, Callable[[Manifest], State]] = {
    "GrpcService": _of_owner,
    "GrpcGateway": _of_owner,
    "Deployment": _of_workload,
    "ReplicaSet": _of_workload,
    "EndpointSlice": _of_slice,
    "HorizontalPodAutoscaler": _of_autoscaler,
    "PodDisruptionBudget": _of_budget,
}
