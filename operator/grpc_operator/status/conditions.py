"""Builds the whole status of a GrpcService or GrpcGateway.

The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus): `Reconciling` and `Stalled`
are abnormal-true, `Ready` sums up, every condition carries the generation it was computed from.
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator import limits
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status import scaling
from grpc_operator.status.observed import ConditionResult, Observed
from grpc_operator.status.readiness import (
    NotReady,
    counts,
    deployment_condition,
    evaluate,
    up_to_date,
)

Status = dict[str, Any]

_Parts = tuple[str, Reason | KubernetesReason, str]
"""Status, reason and message of a condition."""


def build(observed: Observed, old: Mapping[str, Any], now: str) -> Status:
    """Returns the status to report.

    Args:
        observed: What the reconciliation observed.
        old: The status so far; a condition whose status stays keeps its transition time.
        now: Time of the reconciliation (RFC 3339), for conditions whose status changes.
    """
    not_ready = evaluate(observed)
    desired, deployment = counts(observed)
    ready = deployment.get("readyReplicas", 0)
    return {
        **observed.details,
        "observedGeneration": observed.owner.metadata.generation,
        "conditions": [
            _condition(observed, _since(old, type_, parts[0], now), type_, parts)
            for type_, parts in (
                ("Accepted", _accepted(observed)),
                *_optional("ResolvedRefs", observed.refs),
                *_optional("SchemaCompatible", observed.schema),
                ("Available", _available(observed)),
                *_optional("Programmed", observed.programmed),
                *_optional("PartiallyInvalid", observed.partially_invalid),
                *_optional("ScalingActive", scaling.scaling_active(observed)),
                *_optional("DisruptionAllowed", scaling.disruption_allowed(observed)),
                ("Ready", _ready(observed, not_ready)),
                ("Reconciling", _reconciling(not_ready)),
                ("Stalled", _stalled(not_ready)),
            )
        ],
        "readyReplicas": ready,
        "readySummary": f"{ready}/{desired}",
        "replicas": deployment.get("replicas", 0),
    }


def _accepted(observed: Observed) -> _Parts:
    if observed.invalid is not None:
        return "False", observed.invalid.reason, str(observed.invalid)
    return "True", Reason.ACCEPTED, "The spec is valid"


def _optional(type_: str, result: ConditionResult | None) -> list[tuple[str, _Parts]]:
    if result is None:
        return []
    return [(type_, (result.status, result.reason, result.message))]


def _available(observed: Observed) -> _Parts:
    available = deployment_condition(observed, "Available")
    if not available:
        message = "No pod is known to be available yet"
        return "Unknown", Reason.PROGRESSING, message
    return available["status"], KubernetesReason(available["reason"]), available.get("message", "")


def _ready(observed: Observed, not_ready: NotReady | None) -> _Parts:
    if not_ready is not None:
        return "False", not_ready.reason, not_ready.message
    desired, _ = counts(observed)
    if desired == 0:
        return "True", Reason.SCALED_TO_ZERO, "Scaled to zero replicas"
    text = up_to_date(desired, desired) + scaling.remark(observed)
    if observed.remark:
        text += f"; {observed.remark}"
    return "True", Reason.READY, text


def _reconciling(not_ready: NotReady | None) -> _Parts:
    if not_ready is not None and not not_ready.stalled:
        return "True", not_ready.reason, not_ready.message
    return "False", _reason(not_ready), "No change is in progress"


def _stalled(not_ready: NotReady | None) -> _Parts:
    if not_ready is not None and not_ready.stalled:
        return "True", not_ready.reason, not_ready.message
    return "False", _reason(not_ready), "Reconciliation is not stalled"


def _reason(not_ready: NotReady | None) -> Reason | KubernetesReason:
    return Reason.READY if not_ready is None else not_ready.reason


def _condition(observed: Observed, since: str, type_: str, parts: _Parts) -> dict[str, Any]:
    status, reason, message = parts
    most = limits.CONDITION_MESSAGE.value
    if len(message) > most:
        message = message[: most - 1] + "…"
    return {
        "type": type_,
        "status": status,
        "observedGeneration": observed.owner.metadata.generation,
        "lastTransitionTime": since,
        "reason": str(reason),
        "message": message,
    }


def _since(old: Mapping[str, Any], type_: str, status: str, now: str) -> str:
    """Returns when a condition got its status: ``lastTransitionTime``."""
    for condition in old.get("conditions") or ():
        if condition["type"] == type_ and condition["status"] == status:
            return str(condition["lastTransitionTime"])
    return now
