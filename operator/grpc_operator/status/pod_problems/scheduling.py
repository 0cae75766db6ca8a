"""Why a pod has no node, or a node that does not report on it."""

import re
from collections.abc import Sequence
from datetime import timedelta

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems.pod import Pod, time
from grpc_operator.status.pod_reports import PodReports

_SCHEDULER = timedelta(seconds=5)
"""How long the scheduler may take for its first word about a pod."""

_KUBELET = timedelta(seconds=30)
"""The same for the kubelet: a busy one needs its time."""

_NO_HELP = re.compile(r"[.]? no new claims to deallocate,| ?preemption: 0/.*", re.DOTALL)
"""What the scheduler adds about preemption when that does not help."""


def problem(pod: Pod, others: Sequence[Pod], reports: PodReports) -> Cause | None:
    """Returns why a pod has no node that starts it.

    Args:
        pod: The pod.
        others: The other pods of its owner.
        reports: What else is known.
    """
    scheduled = pod.condition("PodScheduled")
    waits = reports.now - pod.created
    if scheduled.get("status") == "False":
        reason = KubernetesReason(scheduled.get("reason", "")) or Reason.UNSCHEDULABLE
        message = _NO_HELP.sub("", scheduled.get("message") or "cannot be scheduled")
        return Cause(reason, f"{message}{_named(pod)}{blocked_by(pod, others, message)}")
    if _is_unseen(pod) and waits > _SCHEDULER:
        name = pod.spec.get("schedulerName") or "default-scheduler"
        text = (
            f"no scheduler has considered it; schedulerName is {name}, and a scheduler of this name"
            " must run in the cluster"
        )
        return Cause(Reason.UNSCHEDULABLE, text)
    since = reports.now - time(scheduled.get("lastTransitionTime"))
    if scheduled and not _has_reported(pod) and since > _KUBELET:
        text = f"node {pod.spec.get('nodeName')} has not reported on it; see its kubelet"
        return Cause(Reason.NODE_NOT_READY, text)
    return None


def blocked_by(pod: Pod, others: Sequence[Pod], message: str) -> str:
    """Returns which older pod has what a pod cannot have, when a rolling update waits for ever."""
    if not any(text in message for text in _EXCLUSIVE):
        return ""
    older = [each for each in others if each.revision != pod.revision and each.spec.get("nodeName")]
    if not older:
        return ""
    return (
        f". This does not end by itself: pod {older[0].name} has it, and the rolling update keeps"
        " that pod until this one is ready. Choose the strategy Recreate in spec.strategy"
    )


_EXCLUSIVE = ("ReadWriteOncePod", "free ports for the requested pod ports", "Multi-Attach")
"""What the scheduler and the attach-detach controller say about what one pod has for itself."""


def _named(pod: Pod) -> str:
    """Returns what the message of the scheduler is about, which does not name it."""
    gates = [str(each.get("name")) for each in pod.spec.get("schedulingGates") or ()]
    if gates:
        return f" (schedulingGates: {', '.join(gates)})"
    claims = [
        str(claim.get("claimName"))
        for volume in pod.spec.get("volumes") or ()
        if (claim := volume.get("persistentVolumeClaim"))
    ]
    return f" (PersistentVolumeClaims: {', '.join(claims)})" if claims else ""


def _is_unseen(pod: Pod) -> bool:
    """Whether no scheduler and no kubelet has written to a pod."""
    return not (pod.spec.get("nodeName") or pod.status.get("conditions") or _has_reported(pod))


def _has_reported(pod: Pod) -> bool:
    """Whether the kubelet has written a status."""
    return "startTime" in pod.status or next(pod.containers(), None) is not None
