"""Which changes of the status are reported as Kubernetes Events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grpc_operator.api.reasons import KubernetesReason, Reason


@dataclass(frozen=True)
class Event:
    """Type, reason and message of an Event to create."""

    type: Literal["Normal", "Warning"]
    reason: Reason | KubernetesReason
    message: str


_IN_PROGRESS = {Reason.PROGRESSING}
"""Reasons of a rollout in which nothing is known to be wrong."""


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Event]:
    """Returns the Events for the change from one status to the next.

    Every new problem, every recovery and every completed rollout gets one. A first rollout without
    problems gets none: the conditions say enough.
    """
    was, now = _ready(old), _ready(new)
    if was.get("reason") == now["reason"] and was.get("status") == now["status"]:
        return []
    if now["status"] == "True":
        first_rollout = old.get("observedGeneration", -1) <= 1 and (
            was.get("status") != "True" and was.get("reason") in {None, *_IN_PROGRESS}
        )
        return [] if first_rollout else [Event("Normal", Reason.ROLLOUT_COMPLETE, now["message"])]
    if now["reason"] in _IN_PROGRESS:
        return []
    return [Event("Warning", now["reason"], now["message"])]


def _ready(status: Mapping[str, Any]) -> dict[str, Any]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            return dict(condition)
    return {}
