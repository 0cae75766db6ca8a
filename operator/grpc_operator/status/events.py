"""Which changes of the condition Ready are reported as Kubernetes Events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from grpc_operator.api.reasons import IN_PROGRESS, KubernetesReason, Reason


@dataclass(frozen=True)
class Event:
    """Type, reason and message of an Event to create."""

    type: Literal["Normal", "Warning"]
    reason: Reason | KubernetesReason
    message: str
    is_known: bool = False
    """Whether the same may have been reported by the operator before this one: not again then."""


_WARN_AFTER = 3.0
"""Seconds for which a problem lasts before it is reported: a gateway that is applied just after
its services, or a volume whose ConfigMap is on its way, are no problem."""

_WAITS: Mapping[str, float] = {
    Reason.NO_PROXIES: 30.0,
    Reason.PENDING: 60.0,
    Reason.NO_ENDPOINTS: 60.0,
}
"""The same for what happens whenever a proxy starts or reconnects."""

_ANNOUNCED = frozenset({Reason.ROLLED_BACK})
"""Reasons that are reported when they begin, by whoever has found them."""

_ROLLOUT = frozenset({
    Reason.PROGRESSING, Reason.WAITING_FOR_PROBE, Reason.WAITING_FOR_INIT_CONTAINER
})  # fmt: skip
"""Reasons that only pods which are being replaced lead to."""


@dataclass(frozen=True)
class History:
    """What has happened to an object since it was ready.

    Attributes:
        reason: Why it is, or is not ready.
        since: When this reason was first seen, in seconds; what was known from the start is old.
        generation: That it was last ready in; 0 before the first time.
        reported: Whether this reason has been reported.
        warned: Whether any problem has been since it was ready.
        rolled_out: Whether pods have been replaced since.
        inherited: Whether another process has seen this reason.
    """

    reason: str = ""
    since: float = 0.0
    generation: int = 0
    reported: bool = False
    warned: bool = False
    rolled_out: bool = False
    inherited: bool = False

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> "History":
        """Returns what a status tells about the time before the operator has started."""
        ready, generation = _ready(status), status.get("observedGeneration", -1)
        reason = ready.get("reason", "")
        if ready.get("status") == "True":
            return cls(reason, generation=generation, reported=True)
        problem = bool(reason) and reason not in IN_PROGRESS
        known = max(generation - 1, 0)
        # It may have ended before it could report the problem.
        return cls(reason, 0.0, known, False, problem, reason in _ROLLOUT, inherited=True)

    def next(self, status: Mapping[str, Any], now: float) -> "tuple[History, Event | None]":
        """Returns the history with one more status, and the Event that it is worth, if it is."""
        ready, generation = _ready(status), status["observedGeneration"]
        reason, same = ready["reason"], ready["reason"] == self.reason
        if ready["status"] == "True":
            done = self.warned or (self.rolled_out and self.generation > 0)
            between_ready = not same and self.reason in {Reason.READY, Reason.SCALED_TO_ZERO}
            event = Event("Normal", Reason.ROLLOUT_COMPLETE, ready["message"])
            history = History(reason, now, generation, reported=True)
            return history, event if done or between_ready else None
        rolled_out = self.rolled_out or reason in _ROLLOUT or 0 < self.generation != generation
        history = replace(
            self,
            reason=reason,
            since=self.since if same else now,
            reported=self.reported and same,
            rolled_out=rolled_out,
            inherited=self.inherited and same,
        )
        if history.due_in(now) != 0:
            return history, None
        event = Event("Warning", reason, ready["message"], history.inherited)
        return replace(history, reported=True, warned=True), event

    def due_in(self, now: float) -> float | None:
        """Returns in how many seconds the reason is to be reported, or ``None`` for never."""
        wait = _WAITS.get(self.reason)
        if wait is None and self.reason not in IN_PROGRESS:
            wait = _WARN_AFTER
        if self.reported or wait is None or self.reason in _ANNOUNCED:
            return None
        return max(self.since + wait - now, 0.0)


def _ready(status: Mapping[str, Any]) -> dict[str, Any]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            return dict(condition)
    return {}
