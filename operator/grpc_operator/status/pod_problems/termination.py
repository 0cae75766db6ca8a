"""Why a container has ended, and why a pod is given up."""

from collections.abc import Mapping
from datetime import timedelta
from signal import Signals
from typing import Any

from grpc_operator import limits
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems.pod import Container, Pod, time
from grpc_operator.status.pod_reports import PodReports

_BACK_OFF = KubernetesReason("CrashLoopBackOff")
_OUT_OF_MEMORY = KubernetesReason("OOMKilled")
_GATES = KubernetesReason("ReadinessGatesNotReady")

_SIGNALLED = 128
"""Exit codes above are 128 plus the number of the signal (POSIX shells, containerd)."""

_COARSE = (1, 3, 10, 30, 100, 300, 1000)
"""Restart counts that are distinguished: a crash loop does not change the status for ever."""

_LATE = timedelta(seconds=60)
"""How long a pod may exist beyond the end of its grace period."""

_CONTINUES = timedelta(seconds=10)
"""How much longer than its last run a container must run before that end is over."""


def of_container(container: Container, reports: PodReports) -> Cause | None:
    """Returns how a container ended that must not end, as long as that is not over.

    The kubelet starts it again and reports in turn Error, CrashLoopBackOff, and that it runs. It is
    over when the pod is ready, or the container has run longer than before.
    """
    end = container.last_end
    waiting = container.state("waiting") or {}
    if end is None and waiting.get("reason") == _BACK_OFF:
        text = waiting.get("message") or "it has ended"
        return Cause(_BACK_OFF, f"{container.name}: {text}", container.is_sidecar)
    if end is None or _is_done(container, end) or _is_over(container, end, reports):
        return None
    if end.get("reason") == _OUT_OF_MEMORY:
        text = f"{container.name}: {_out_of_memory(container)}"
        return Cause(_OUT_OF_MEMORY, text, container.is_sidecar)
    return Cause(_BACK_OFF, f"{container.name}: {how(container)}", container.is_sidecar)


def how(container: Container) -> str:
    """Returns how a container ended the last time, with its last words on one line."""
    end = container.last_end or {}
    code = end.get("exitCode", 0)
    text = f"ended with exit code {code} ({_meaning(code, end)}){restarted(container)}"
    words = " ".join((end.get("message") or "").split())[-limits.TERMINATION_MESSAGE.value :]
    return f"{text}; last words: {words}" if words else text


def restarted(container: Container) -> str:
    """Returns how often the kubelet has started a container again."""
    count = max((each for each in _COARSE if each <= container.restarts), default=0)
    if not count:
        return ""
    return f"; restarted at least {'once' if count == 1 else f'{count} times'}"


def is_by_signal(end: Mapping[str, Any]) -> bool:
    """Whether a container may have ended because it was asked to: SIGTERM, then SIGKILL.

    A server may handle SIGTERM, and end with 0; that of Go ends with 2 as the first process.
    """
    return end.get("exitCode") in {0, 2, 130, 137, 143} and end.get("reason") != _OUT_OF_MEMORY


def of_pod(pod: Pod) -> Cause | None:
    """Returns why Kubernetes has ended a whole pod: eviction, or a node that cannot have it."""
    if pod.status.get("phase") != "Failed":
        return None
    reason = KubernetesReason(pod.status.get("reason") or "") or Reason.POD_FAILED
    message = pod.status.get("message") or _disruption(pod) or "Kubernetes has ended it"
    return Cause(reason, " ".join(message.split()))


def of_node(pod: Pod) -> Cause | None:
    """Returns why a pod is not ready although all of its containers are."""
    ready = pod.condition("Ready")
    if ready.get("status") != "False" or pod.condition("ContainersReady").get("status") != "True":
        return None
    if ready.get("reason") == _GATES:
        message = ready.get("message") or "a readiness gate is not true"
        return Cause(_GATES, message)
    text = (
        f"node {pod.spec.get('nodeName')} is not ready or does not report; see `kubectl get nodes`"
    )
    return Cause(Reason.NODE_NOT_READY, text)


def of_deletion(pod: Pod, reports: PodReports) -> Cause | None:
    """Returns why a deleted pod still exists after its grace period."""
    if not pod.is_terminating:
        return None
    if reports.now - time(pod.metadata["deletionTimestamp"]) < _LATE:
        return None
    finalizers = pod.metadata.get("finalizers") or ()
    why = f"finalizers {', '.join(finalizers)}" if finalizers else _last_node(pod)
    return Cause(Reason.POD_NOT_DELETED, f"has been deleted, but remains: {why}")


def _disruption(pod: Pod) -> str:
    """Returns why Kubernetes deletes a pod (KEP-3329), such as preemption; empty if it does not."""
    target = pod.condition("DisruptionTarget")
    if target.get("status") != "True":
        return ""
    return f"{target.get('reason', '')}: {target.get('message', '')}"


def _last_node(pod: Pod) -> str:
    return f"node {pod.spec.get('nodeName')} does not confirm that it has ended"


def _is_done(container: Container, end: Mapping[str, Any]) -> bool:
    """Whether an init container has ended as it must."""
    return (
        container.is_init
        and not container.is_sidecar
        and container.state("waiting") is None
        and end.get("exitCode") == 0
    )


def _is_over(container: Container, end: Mapping[str, Any], reports: PodReports) -> bool:
    if container.state("running") is None:
        return False
    if container.status.get("ready") and not container.is_init:
        return True
    lasted = time(end.get("finishedAt")) - time(end.get("startedAt"))
    return reports.now - container.started_at > lasted + _CONTINUES


def _meaning(code: int, end: Mapping[str, Any]) -> str:
    reason = str(end.get("reason") or "Error")
    if code == 0:
        return "a server must not end by itself" if reason == "Completed" else reason
    number = code - _SIGNALLED
    known = {signal.value: signal.name for signal in Signals}
    return f"{reason}, {known[number]}" if number in known else reason


def _out_of_memory(container: Container) -> str:
    limit = ((container.spec.get("resources") or {}).get("limits") or {}).get("memory")
    field = "spec.resources.limits.memory" if container.is_ours else "its memory limit"
    most = f"its limit of {limit}" if limit else "what its node has"
    return (
        f"was killed because it used more memory than {most}; raise {field}{restarted(container)}"
    )
