"""Builds the whole status of a GrpcService or GrpcGateway.

The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus): `Reconciling` and `Stalled`
are abnormal-true, `Ready` sums up, every condition carries the generation it was computed from.
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.observed import Observed, Verdict
from grpc_operator.status.readiness import (
    Objection,
    Outlook,
    counts,
    deployment_condition,
    evaluate,
)

Status = dict[str, Any]

_Parts = tuple[str, Reason | KubernetesReason, str]
"""Status, reason and message of a condition."""

_CALM = {Outlook.PROGRESSING: "No change is under way", Outlook.STALLED: "Not stuck"}

_MOST_WORDS = 4096
"""Characters of a message; the API allows 32768, people read less."""


def build(observed: Observed, old: Mapping[str, Any], now: str) -> Status:
    """Returns the status to report.

    Args:
        observed: What was observed.
        old: The status so far; a condition whose status stays keeps its transition time.
        now: The time (RFC 3339), for conditions whose status changes.
    """
    objection = evaluate(observed)
    wanted, deployment = counts(observed)
    ready = deployment.get("readyReplicas", 0)
    return {
        **observed.details,
        "observedGeneration": observed.owner.metadata.generation,
        "conditions": [
            _condition(observed, _since(old, type_, parts[0], now), type_, parts)
            for type_, parts in (
                ("Accepted", _accepted(observed)),
                *_further("ResolvedRefs", observed.refs),
                ("Available", _available(observed)),
                *_further("Programmed", observed.programmed),
                ("Ready", _ready(observed, objection)),
                ("Reconciling", _while(objection, Outlook.PROGRESSING)),
                ("Stalled", _while(objection, Outlook.STALLED)),
            )
        ],
        "readyReplicas": ready,
        "readySummary": f"{ready}/{wanted}",
        "replicas": deployment.get("replicas", 0),
    }


def _accepted(observed: Observed) -> _Parts:
    if observed.invalid is not None:
        return "False", observed.invalid.reason, str(observed.invalid)
    return "True", Reason.ACCEPTED, "The spec is valid"


def _further(type_: str, verdict: Verdict | None) -> list[tuple[str, _Parts]]:
    if verdict is None:
        return []
    return [(type_, (verdict.status, verdict.reason, verdict.message))]


def _available(observed: Observed) -> _Parts:
    available = deployment_condition(observed, "Available")
    if not available:
        return "Unknown", Reason.PROGRESSING, "Kubernetes has not reported on the Deployment yet"
    return available["status"], KubernetesReason(available["reason"]), available.get("message", "")


def _ready(observed: Observed, objection: Objection | None) -> _Parts:
    if objection is not None:
        return "False", objection.reason, objection.message
    wanted, _ = counts(observed)
    if wanted == 0:
        return "True", Reason.SCALED_TO_ZERO, "No pods are wanted"
    return "True", Reason.READY, f"{wanted} of {wanted} pods run the newest spec and are ready"


def _while(objection: Objection | None, outlook: Outlook) -> _Parts:
    if objection is not None and objection.outlook is outlook:
        return "True", objection.reason, objection.message
    return "False", Reason.READY if objection is None else objection.reason, _CALM[outlook]


def _condition(observed: Observed, since: str, type_: str, parts: _Parts) -> dict[str, Any]:
    status, reason, message = parts
    if len(message) > _MOST_WORDS:
        message = message[: _MOST_WORDS - 1] + "…"
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
