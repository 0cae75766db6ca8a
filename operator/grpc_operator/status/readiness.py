"""The readiness chain: the first check that objects decides the Ready condition."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import Observed, Verdict
from grpc_operator.status.pod_problems import problem


class Outlook(Enum):
    """What will happen to an object that is not ready."""

    PROGRESSING = "the operator or Kubernetes is at work"
    STALLED = "nothing will change before somebody changes the spec"


@dataclass(frozen=True)
class Objection:
    """Why an object is not ready."""

    reason: Reason | KubernetesReason
    message: str
    outlook: Outlook = Outlook.PROGRESSING


Check = Callable[[Observed], Objection | None]


def evaluate(observed: Observed) -> Objection | None:
    """Returns the first objection to calling the object ready, or ``None``."""
    for check in CHAIN:
        objection = check(observed)
        if objection is not None:
            return objection
    return None


def spec_is_valid(observed: Observed) -> Objection | None:
    """The spec, and with it every object made from it, was accepted."""
    if observed.invalid is None:
        return None
    return Objection(observed.invalid.reason, str(observed.invalid), Outlook.STALLED)


def operator_goes_on(observed: Observed) -> Objection | None:
    """Nothing outside the spec keeps the operator from applying it."""
    if observed.waiting is None:
        return None
    return Objection(observed.waiting.reason, observed.waiting.message)


def deployment_is_seen(observed: Observed) -> Objection | None:
    """Kubernetes has looked at the newest Deployment."""
    deployment = observed.deployment
    if deployment is None:
        return Objection(Reason.PROGRESSING, "The Deployment has not been created yet")
    seen = deployment.get("status", {}).get("observedGeneration", 0)
    if seen < deployment["metadata"]["generation"]:
        return Objection(Reason.PROGRESSING, "Kubernetes has not yet looked at the new Deployment")
    return None


def pods_can_be_created(observed: Observed) -> Objection | None:
    """No quota or admission policy keeps pods from being created."""
    failure = deployment_condition(observed, "ReplicaFailure")
    if failure.get("status") != "True":
        return None
    reason = KubernetesReason(failure.get("reason", "")) or Reason.REPLICA_FAILURE
    return Objection(reason, failure.get("message", ""))


def rollout_is_in_time(observed: Observed) -> Objection | None:
    """The rollout has not passed its deadline (Deployment progressDeadlineSeconds)."""
    progressing = deployment_condition(observed, "Progressing")
    if progressing.get("reason") != Reason.PROGRESS_DEADLINE_EXCEEDED:
        return None
    trouble = problem(observed.pods)
    reason = trouble.reason if trouble else Reason.PROGRESS_DEADLINE_EXCEEDED
    words = trouble.message if trouble else progressing.get("message", "")
    return Objection(reason, f"The rollout made no progress in time. {words}", Outlook.STALLED)


def pods_are_ready(observed: Observed) -> Objection | None:
    """Every wanted pod runs the newest spec and is ready, and no other one is left."""
    wanted, status = counts(observed)
    updated = status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    existing = status.get("replicas", 0)
    if min(updated, available) >= wanted >= existing:
        return None
    trouble = problem(observed.pods)
    older = existing - updated
    done = min(max(available - older, 0), wanted)
    ready = f"{done} of {wanted} pods run the newest spec and are ready"
    if trouble is not None:
        return Objection(trouble.reason, f"{ready}. {trouble.message}")
    if older > 0:
        return Objection(Reason.PROGRESSING, f"{ready}, {older} older to go")
    leaving = max(existing - wanted, 0)
    return Objection(Reason.PROGRESSING, ready + (f", {leaving} to go" if leaving else ""))


def refs_are_resolved(observed: Observed) -> Objection | None:
    """The gateway and the descriptor that the spec refers to are there."""
    return _objection(observed.refs)


def proxies_serve_it(observed: Observed) -> Objection | None:
    """Every proxy of the gateway has taken over what was built from this generation."""
    return _objection(observed.programmed)


def _objection(verdict: Verdict | None) -> Objection | None:
    if verdict is None or verdict.status == "True":
        return None
    outlook = Outlook.STALLED if verdict.stalled else Outlook.PROGRESSING
    return Objection(verdict.reason, verdict.message, outlook)


CHAIN: tuple[Check, ...] = (
    spec_is_valid,  # a person must act
    operator_goes_on,  # something else must happen first
    deployment_is_seen,  # else its status describes the past
    pods_can_be_created,  # quota, admission
    rollout_is_in_time,  # Kubernetes gave up waiting
    pods_are_ready,
    refs_are_resolved,  # a pod must answer before its descriptor is known
    proxies_serve_it,
)


def counts(observed: Observed) -> tuple[int, dict[str, Any]]:
    """Returns the wanted number of pods and the Deployment's status."""
    deployment = observed.deployment or {}
    wanted = deployment.get("spec", {}).get("replicas", 0)
    return wanted, deployment.get("status", {})


def deployment_condition(observed: Observed, type_: str) -> dict[str, Any]:
    """Returns one condition of the Deployment, empty when it has none of that type."""
    status = (observed.deployment or {}).get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == type_:
            return dict(condition)
    return {}
