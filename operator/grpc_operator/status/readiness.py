"""The ordered checks behind Ready: the first problem sets the reason of the condition."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator import managed_fields
from grpc_operator.api.reasons import IN_PROGRESS, KubernetesReason, Reason
from grpc_operator.status.observed import Cause, ConditionResult, Observed
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
    """Returns why an object is not ready, or ``None`` if it is.

    That is the result of the first check that finds a problem. If all that fail only find that
    something is in progress, it is that of the first. Whatever it is, the object is stalled once
    the rollout has exceeded its deadline: nothing else tells those who wait for it.
    """
    failed = [found for check in CHECKS if (found := check(observed)) is not None]
    if not failed:
        return None
    first = next((each for each in failed if each.reason not in IN_PROGRESS), failed[0])
    if first.stalled or not _is_too_late(observed):
        return first
    text = f"The rollout exceeded its progress deadline. {first.message}"
    return NotReady(first.reason, text, stalled=True)


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


def deployment_exists(observed: Observed) -> NotReady | None:
    """There is a Deployment, and nobody has deleted it."""
    deployment = observed.deployment
    if deployment is None:
        return NotReady(Reason.PROGRESSING, "The Deployment has not been created yet")
    if "deletionTimestamp" not in deployment["metadata"]:
        return None
    finalizers = ", ".join(deployment["metadata"].get("finalizers") or ()) or "none"
    text = f"The Deployment is being deleted; its finalizers: {finalizers}"
    return NotReady(Reason.DEPLOYMENT_BEING_DELETED, text)


def deployment_is_not_paused(observed: Observed) -> NotReady | None:
    """The Deployment controller rolls out the newest pod template."""
    deployment = observed.deployment or {}
    if not deployment.get("spec", {}).get("paused") or _is_rolled_out(observed):
        return None
    metadata = deployment["metadata"]
    command = ("kubectl", "-n", metadata["namespace"], "rollout", "resume")
    name = f"deployment/{metadata['name']}"
    return NotReady(
        Reason.DEPLOYMENT_PAUSED,
        f"{_ready_pods(observed)}. {_who_paused(deployment)} paused the Deployment; continue with"
        f" `{shlex.join((*command, name))}`",
    )


def pods_can_be_created(observed: Observed) -> NotReady | None:
    """No quota or admission policy keeps pods from being created."""
    failure = deployment_condition(observed, "ReplicaFailure")
    if failure.get("status") != "True" or not _is_observed(observed):
        return None
    reason = KubernetesReason(failure.get("reason", "")) or Reason.REPLICA_FAILURE
    return NotReady(reason, failure.get("message", ""))


def pods_are_ready(observed: Observed) -> NotReady | None:
    """Every desired pod runs the latest spec and is ready, and no other pod is left."""
    if observed.deployment is None:
        return None
    cause = problem(observed.pods, observed.reports) if _is_observed(observed) else None
    if _is_rolled_out(observed):
        return _although_ready(observed, cause)
    if cause is None and _is_too_late(observed):
        message = deployment_condition(observed, "Progressing").get("message", "")
        return NotReady(Reason.PROGRESS_DEADLINE_EXCEEDED, message)
    if cause is not None:
        return NotReady(cause.reason, f"{_ready_pods(observed)}. {cause.message}")
    return NotReady(Reason.PROGRESSING, _progress(observed))


def _although_ready(observed: Observed, cause: Cause | None) -> NotReady | None:
    """Returns a problem of pods that are ready only until a container is restarted."""
    if cause is None:
        return None
    if cause.reason != Reason.LIVENESS_PROBE_FAILING and not cause.is_of_sidecar:
        return None
    return NotReady(cause.reason, f"{_ready_pods(observed)}. {cause.message}")


def _is_observed(observed: Observed) -> bool:
    """Whether the status of the Deployment is about its latest spec."""
    deployment = observed.deployment or {}
    seen: int = deployment.get("status", {}).get("observedGeneration", 0)
    return bool(deployment) and seen >= deployment["metadata"]["generation"]


def _is_rolled_out(observed: Observed) -> bool:
    """Whether all desired pods run the latest spec and are ready, and no other one is left."""
    desired, status = counts(observed)
    up_to_date_ = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return _is_observed(observed) and up_to_date_ >= desired >= status.get("replicas", 0)


def _is_too_late(observed: Observed) -> bool:
    """Whether the rollout has exceeded its deadline (Deployment progressDeadlineSeconds)."""
    progressing = deployment_condition(observed, "Progressing")
    late = progressing.get("reason") == Reason.PROGRESS_DEADLINE_EXCEEDED
    return late and _is_observed(observed)


def _progress(observed: Observed) -> str:
    """Returns how far the rollout is, and which pods have yet to go."""
    desired, status = counts(observed)
    existing = status.get("replicas", 0)
    old = existing - _updated(observed)
    if old > 0:
        return f"{_ready_pods(observed)}; old pods pending termination: {old}"
    surplus = max(existing - desired, 0)
    text = f"; pods pending termination: {surplus}" if surplus else ""
    return f"{_ready_pods(observed)}{text}"


def _ready_pods(observed: Observed) -> str:
    """Returns how many of the desired pods are as they should be."""
    desired, status = counts(observed)
    old = max(status.get("replicas", 0) - _updated(observed), 0)
    ready = min(max(status.get("availableReplicas", 0) - old, 0), desired)
    return up_to_date(ready, desired)


def _updated(observed: Observed) -> int:
    """Returns how many pods are known to run the latest spec."""
    _, status = counts(observed)
    updated: int = status.get("updatedReplicas", 0) if _is_observed(observed) else 0
    return updated


def _who_paused(deployment: Mapping[str, Any]) -> str:
    """Returns who has set ``spec.paused`` of a Deployment, as its managed fields say."""
    managers = [
        str(entry["manager"])
        for entry in managed_fields.entries(deployment)
        if "f:paused" in managed_fields.fields(entry).get("f:spec", {})
    ]
    return " and ".join(managers) or "Somebody"


def refs_are_resolved(observed: Observed) -> NotReady | None:
    """The gateway and the descriptor that the spec refers to exist and can be used."""
    return _unless_true(observed.refs)


def schema_is_compatible(observed: Observed) -> NotReady | None:
    """The new revision breaks no caller of the stable one, or may do so."""
    schema = observed.schema
    return _unless_true(schema) if schema is not None and schema.stalled else None


def proxies_are_programmed(observed: Observed) -> NotReady | None:
    """Every proxy of the gateway has acknowledged the configuration of this generation."""
    return _unless_true(observed.programmed)


def latest_revision_serves(observed: Observed) -> NotReady | None:
    """All calls go to the revision of the current pod template."""
    return _unless_true(observed.rollout)


def _unless_true(result: ConditionResult | None) -> NotReady | None:
    if result is None or result.status == "True":
        return None
    return NotReady(result.reason, result.message, stalled=result.stalled)


CHECKS: tuple[Check, ...] = (
    spec_is_valid,  # only the author of the spec can fix it
    operator_is_not_blocked,  # something else must happen first
    deployment_exists,
    deployment_is_not_paused,
    pods_can_be_created,  # quota, admission
    pods_are_ready,
    refs_are_resolved,  # reflection needs a ready pod
    schema_is_compatible,  # of two descriptors
    proxies_are_programmed,
    latest_revision_serves,
)


def up_to_date(ready: int, desired: int) -> str:
    """Returns how far the rollout is."""
    return f"{ready} of {desired} pods are up to date and ready"


def counts(observed: Observed) -> tuple[int, dict[str, Any]]:
    """Returns the desired number of pods and the Deployment's status.

    An autoscaler wants its minimum, whatever the Deployment has.
    """
    deployment = observed.deployment or {}
    desired = deployment.get("spec", {}).get("replicas", 0)
    autoscaling = observed.owner.spec.autoscaling
    if autoscaling is not None:
        desired = max(desired, autoscaling.min_replicas)
    return desired, deployment.get("status", {})


def deployment_condition(observed: Observed, type_: str) -> dict[str, Any]:
    """Returns one condition of the Deployment, empty when it has none of that type."""
    status = (observed.deployment or {}).get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == type_:
            return dict(condition)
    return {}
