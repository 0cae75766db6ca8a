"""Why a container cannot be created: its image, configuration, volumes or command."""

from collections.abc import Sequence

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems.pod import Container, Pod, time
from grpc_operator.status.pod_problems.scheduling import blocked_by
from grpc_operator.status.pod_problems.termination import is_by_signal, restarted
from grpc_operator.status.pod_reports import PodReports

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of a container that is starting normally (kubelet)."""

_RESTARTS = "CrashLoopBackOff"
_HOOK = "PostStartHookError"
_PULL = "ErrImagePull"
_PULL_BACK_OFF = "ImagePullBackOff"
_CAUSES_OF_BACK_OFF = ("ErrImagePull: ", "RegistryUnavailable: ", "SignatureValidationFailed: ")
"""What the kubelet writes before the error of the last attempt, while it backs off."""

_CANNOT_RUN = frozenset({"StartError", "ContainerCannotRun"})
"""How the container runtime says that a program could not be executed."""

_OF_PODS = frozenset(
    {
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "FailedCreatePodSandBox",
        "NetworkNotReady",
        "FailedPrepareDynamicResources",
    }
)
"""Reasons of Events why no container of a pod can be created (kubelet, pkg/kubelet/events)."""


def problem(container: Container) -> Cause | None:
    """Returns why a container waits, if that is not normal and not because it has ended."""
    waiting = container.state("waiting")
    reason = (waiting or {}).get("reason", "")
    if waiting is None or not reason or reason in STARTING or reason == _RESTARTS:
        return None
    message = waiting.get("message") or "the container does not start"
    if reason == _HOOK:
        return _hook(container)
    if reason in {_PULL, _PULL_BACK_OFF}:
        # The kubelet changes between the two; for the user it is one problem.
        return _cause(_PULL_BACK_OFF, container, _pull_error(container, message))
    return _cause(reason, container, message)


def hook_fails(pod: Pod, container: Container) -> Cause | None:
    """Returns that the postStart hook of a container fails, for which the kubelet ends it.

    The kubelet reports it as PostStartHookError, and as CrashLoopBackOff while it backs off.
    """
    end = container.last_end
    if not _has_hook(container) or end is None or not is_by_signal(end) or container.has_started:
        return None
    return None if pod.was_ready_after(time(end.get("startedAt"))) else _hook(container)


def cannot_run(container: Container) -> Cause | None:
    """Returns why the program of a container could not be executed, although it was created.

    The kubelet reports it as RunContainerError, and as CrashLoopBackOff while it backs off.
    """
    end = container.last_end
    if end is None or end.get("reason") not in _CANNOT_RUN:
        return None
    return _cause("RunContainerError", container, end.get("message") or "it cannot be executed")


def volumes(pod: Pod, others: Sequence[Pod], reports: PodReports) -> Cause | None:
    """Returns why no container of a pod is created: volumes, or the network of the pod.

    The status of the pod does not say it, only an Event does. Events about a container are left
    out: its status says the same a moment later, under another reason.
    """
    event = reports.events.get(pod.uid)
    if event is None or event.reason not in _OF_PODS or not is_being_created(pod):
        return None
    message = " ".join(event.message.split())
    return Cause(KubernetesReason(event.reason), f"{message}{blocked_by(pod, others, message)}")


def is_being_created(pod: Pod) -> bool:
    """Whether a pod has a node, and none of its containers has ever been created."""
    states = [each.state("waiting") for each in pod.containers()]
    return bool(states) and all(
        waiting is not None and waiting.get("reason") in STARTING for waiting in states
    )


def _has_hook(container: Container) -> bool:
    return "postStart" in (container.spec.get("lifecycle") or {})


def _hook(container: Container) -> Cause:
    hook = (container.spec.get("lifecycle") or {}).get("postStart") or {}
    command = " ".join(map(str, (hook.get("exec") or {}).get("command") or ()))[:200]
    what = f" ({command})" if command else ""
    return _cause(_HOOK, container, f"its postStart hook{what} fails{restarted(container)}")


def _pull_error(container: Container, message: str) -> str:
    image = container.spec.get("image") or container.status.get("image", "")
    for cause in _CAUSES_OF_BACK_OFF:
        before, found, error = message.partition(cause)
        if found and before.startswith("Back-off pulling image"):
            message = error
    return f"image {image} cannot be pulled: {message}"


def _cause(reason: str, container: Container, message: str) -> Cause:
    known = KubernetesReason(reason) or Reason.PROGRESSING
    return Cause(known, f"{container.name}: {' '.join(message.split())}")
