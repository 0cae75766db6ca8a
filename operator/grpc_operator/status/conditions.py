"""Builds the whole status of a GrpcService or GrpcGateway.

The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus): `Reconciling` and `Stalled`
are abnormal-true, `Ready` sums up, every condition carries the generation it was computed from.
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator.status.observed import Observed, Verdict
from grpc_operator.status.readiness import (
    Objection,
    Outlook,
    counts,
    deployment_condition,
    evaluate,
)

Status = dict[str, Any]

_CALM = {Outlook.PROGRESSING: "No change is under way", Outlook.STALLED: "Not stuck"}

_MOST_WORDS = 4096
"""Characters of a message; the API allows 32768, people read less."""


def build(observed: Observed, old: Mapping[str, Any], now: str) -> Status:
    """Returns the status to report.

    Args:
        observed: The look that was taken.
        old: The status so far; a condition whose status stays keeps its transition time.
        now: Time of the look (RFC 3339), for conditions whose status changes.
    """
    objection = evaluate(observed)
    wanted, deployment = counts(observed)
    ready = deployment.get("readyReplicas", 0)
    return {
        **observed.details,
        "observedGeneration": observed.owner.metadata.generation,
        "conditions": [
            _condition(observed, _since(old, type_, rest[0], now), type_, *rest)
            for type_, *rest in (
                ("Accepted", *_accepted(observed)),
                *_further("ResolvedRefs", observed.refs),
                ("Available", *_available(observed)),
                *_further("Programmed", observed.programmed),
                ("Ready", *_ready(observed, objection)),
                ("Reconciling", *_while(objection, Outlook.PROGRESSING)),
                ("Stalled", *_while(objection, Outlook.STALLED)),
            )
        ],
        "readyReplicas": ready,
        "readySummary": f"{ready}/{wanted}",
        "replicas": deployment.get("replicas", 0),
    }


def _accepted(observed: Observed) -> tuple[str, str, str]:
    if observed.invalid is not None:
        return "False", observed.invalid.reason, str(observed.invalid)
    return "True", "Accepted", "The spec is valid"


def _further(type_: str, verdict: Verdict | None) -> list[tuple[str, str, str, str]]:
    if verdict is None:
        return []
    return [(type_, verdict.status, verdict.reason, verdict.message)]


def _available(observed: Observed) -> tuple[str, str, str]:
    available = deployment_condition(observed, "Available")
    if not available:
        return "Unknown", "Progressing", "Kubernetes has not reported on the Deployment yet"
    return available["status"], available["reason"], available.get("message", "")


def _ready(observed: Observed, objection: Objection | None) -> tuple[str, str, str]:
    if objection is not None:
        return "False", objection.reason, objection.message
    wanted, _ = counts(observed)
    if wanted == 0:
        return "True", "ScaledToZero", "No pods are wanted"
    return "True", "Ready", f"{wanted} of {wanted} pods run the newest spec and are ready"


def _while(objection: Objection | None, outlook: Outlook) -> tuple[str, str, str]:
    if objection is not None and objection.outlook is outlook:
        return "True", objection.reason, objection.message
    return "False", "Ready" if objection is None else objection.reason, _CALM[outlook]


def _condition(  # noqa: PLR0913, PLR0917 - a condition has this many parts
    observed: Observed, since: str, type_: str, status: str, reason: str, message: str
) -> dict[str, Any]:
    if len(message) > _MOST_WORDS:
        message = message[: _MOST_WORDS - 1] + "…"
    return {
        "type": type_,
        "status": status,
        "observedGeneration": observed.owner.metadata.generation,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }


def _since(old: Mapping[str, Any], type_: str, status: str, now: str) -> str:
    """Returns when a condition got its status: ``lastTransitionTime``."""
    for condition in old.get("conditions") or ():
        if condition["type"] == type_ and condition["status"] == status:
            return str(condition["lastTransitionTime"])
    return now
