"""The ordered checks behind Ready: the first one that fails sets the reason of the condition."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import ConditionResult, Observed
from grpc_operator.status.pod_problems import problem


@dataclass(frozen=True)
class NotReady:
    """Why an object is not ready.

    Attributes:
        stalled: Whether nothing will change until somebody changes the spec (kstatus: Stalled);
            otherwise the operator or Kubernetes is still working on it (Reconciling).
    """

    reason: Reason | KubernetesReason
    message: str
    stalled: bool = False


Check = Callable[[Observed], NotReady | None]


def evaluate(observed: Observed) -> NotReady | None:
    """Returns the result of the first check that fails, or ``None`` if the object is ready."""
    for check in CHECKS:
        not_ready = check(observed)
        if not_ready is not None:
            return not_ready
    return None


def spec_is_valid(observed: Observed) -> NotReady | None:
    """The spec, and with it every object built from it, was accepted."""
    if observed.invalid is None:
        return None
    return NotReady(observed.invalid.reason, str(observed.invalid), stalled=True)


def operator_is_not_blocked(observed: Observed) -> NotReady | None:
    """Nothing outside the spec blocks the operator from applying it."""
    if observed.blocked is None:
        return None
    return NotReady(observed.blocked.reason, observed.blocked.message)


def deployment_is_observed(observed: Observed) -> NotReady | None:
    """The Deployment controller has observed the latest Deployment."""
    deployment = observed.deployment
    if deployment is None:
        return NotReady(Reason.PROGRESSING, "The Deployment has not been created yet")
    seen = deployment.get("status", {}).get("observedGeneration", 0)
    if seen < deployment["metadata"]["generation"]:
        message = "The Deployment controller has not observed the latest Deployment yet"
        return NotReady(Reason.PROGRESSING, message)
    return None


def pods_can_be_created(observed: Observed) -> NotReady | None:
    """No quota or admission policy keeps pods from being created."""
    failure = deployment_condition(observed, "ReplicaFailure")
    if failure.get("status") != "True":
        return None
    reason = KubernetesReason(failure.get("reason", "")) or Reason.REPLICA_FAILURE
    return NotReady(reason, failure.get("message", ""))


def rollout_is_in_time(observed: Observed) -> NotReady | None:
    """The rollout has not exceeded its deadline (Deployment progressDeadlineSeconds)."""
    progressing = deployment_condition(observed, "Progressing")
    if progressing.get("reason") != Reason.PROGRESS_DEADLINE_EXCEEDED:
        return None
    cause = problem(observed.pods)
    reason = cause.reason if cause else Reason.PROGRESS_DEADLINE_EXCEEDED
    detail = cause.message if cause else progressing.get("message", "")
    return NotReady(reason, f"The rollout exceeded its progress deadline. {detail}", stalled=True)


def pods_are_ready(observed: Observed) -> NotReady | None:
    """Every desired pod runs the latest spec and is ready, and no other pod is left."""
    desired, status = counts(observed)
    updated = status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    existing = status.get("replicas", 0)
    if min(updated, available) >= desired >= existing:
        return None
    cause = problem(observed.pods)
    old = existing - updated
    ready = up_to_date(min(max(available - old, 0), desired), desired)
    if cause is not None:
        return NotReady(cause.reason, f"{ready}. {cause.message}")
    if old > 0:
        return NotReady(Reason.PROGRESSING, f"{ready}; old pods pending termination: {old}")
    surplus = max(existing - desired, 0)
    pending = f"; pods pending termination: {surplus}" if surplus else ""
    return NotReady(Reason.PROGRESSING, ready + pending)


def refs_are_resolved(observed: Observed) -> NotReady | None:
    """The gateway and the descriptor that the spec refers to exist and can be used."""
    return _unless_true(observed.refs)


def proxies_are_programmed(observed: Observed) -> NotReady | None:
    """Every proxy of the gateway has acknowledged the configuration of this generation."""
    return _unless_true(observed.programmed)


def _unless_true(result: ConditionResult | None) -> NotReady | None:
    if result is None or result.status == "True":
        return None
    return NotReady(result.reason, result.message, stalled=result.stalled)


CHECKS: tuple[Check, ...] = (
    spec_is_valid,  # only the author of the spec can fix it
    operator_is_not_blocked,  # something else must happen first
    deployment_is_observed,  # otherwise its status is out of date
    pods_can_be_created,  # quota, admission
    rollout_is_in_time,  # Kubernetes reports the rollout as failed
    pods_are_ready,
    refs_are_resolved,  # reflection needs a ready pod
    proxies_are_programmed,
)


def up_to_date(ready: int, desired: int) -> str:
    """Returns how far the rollout is."""
    return f"{ready} of {desired} pods are up to date and ready"


def counts(observed: Observed) -> tuple[int, dict[str, Any]]:
    """Returns the desired number of pods and the Deployment's status."""
    deployment = observed.deployment or {}
    desired = deployment.get("spec", {}).get("replicas", 0)
    return desired, deployment.get("status", {})


def deployment_condition(observed: Observed, type_: str) -> dict[str, Any]:
    """Returns one condition of the Deployment, empty when it has none of that type."""
    status = (observed.deployment or {}).get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == type_:
            return dict(condition)
    return {}
