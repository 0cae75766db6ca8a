"""Which change of status is worth a Kubernetes Event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grpc_operator.api.reasons import KubernetesReason, Reason


@dataclass(frozen=True)
class Note:
    """An Event in the making."""

    type: Literal["Normal", "Warning"]
    reason: Reason | KubernetesReason
    message: str


_ON_THE_WAY = {Reason.PROGRESSING}


def notes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Note]:
    """Returns what to tell about the change from one status to the next.

    A first, undisturbed rollout is told by the conditions alone; later rollouts, recoveries and
    every new trouble get an Event.
    """
    was, now = _ready(old), _ready(new)
    if was.get("reason") == now["reason"] and was.get("status") == now["status"]:
        return []
    if now["status"] == "True":
        first_rollout = old.get("observedGeneration", -1) <= 1 and (
            was.get("status") != "True" and was.get("reason") in {None, *_ON_THE_WAY}
        )
        return [] if first_rollout else [Note("Normal", Reason.ROLLOUT_COMPLETE, now["message"])]
    if now["reason"] in _ON_THE_WAY:
        return []
    return [Note("Warning", now["reason"], now["message"])]


def _ready(status: Mapping[str, Any]) -> dict[str, Any]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            return dict(condition)
    return {}
