"""Counts what became of the calls of one load: statuses, first failures, latencies, losses."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

OK = "OK"
_FIRST = 20
"""Failures that are kept with all they said."""


@dataclass(frozen=True)
class Outcome:
    """What became of one call.

    Attributes:
        status: ``OK``, a gRPC status code's name, ``HTTP nnn``, or the name of an exception.
        detail: What the failure said.
        lost: Messages of a stream that never came.
    """

    status: str = OK
    detail: str = ""
    lost: int = 0


@dataclass(frozen=True)
class Failure:
    """A failed call: which one, when it began (UTC) and ended, and how."""

    call: int
    began: str
    ended: str
    status: str
    detail: str
    lost: int


def clock(time: float) -> str:
    """Returns a time of day in UTC with milliseconds, such as ``12:00:00.000``."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S.%f")[:-3]


@dataclass
class Tally:
    """The figures of one load."""

    name: str
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    failed_by_second: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    messages: int = 0
    latencies: list[float] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return self.statuses.total()

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self.calls - self.statuses[OK]

    def add(self, call: int, began: float, ended: float, outcome: Outcome) -> None:
        """Counts a call; times are seconds since the epoch."""
        self.began = min(self.began or began, began)
        self.ended = max(self.ended, ended)
        self.statuses[outcome.status] += 1
        self.lost += outcome.lost
        self.latencies.append(ended - began)
        if outcome.status == OK:
            return
        self.failed_by_second[clock(ended)[:8]] += 1
        if len(self.failures) < _FIRST:
            details = (outcome.status, outcome.detail[:500], outcome.lost)
            self.failures.append(Failure(call, clock(began), clock(ended), *details))

    def result(self) -> dict[str, Any]:
        """Returns the figures as JSON has them; latencies are in milliseconds."""
        seconds = self.ended - self.began
        return {
            "name": self.name,
            "calls": self.calls,
            "failed": self.failed,
            "statuses": dict(self.statuses),
            "lost_messages": self.lost,
            "messages": self.messages,
            "latency_ms": _percentiles(self.latencies),
            "seconds": round(seconds, 1),
            "rate": round(self.calls / seconds, 1) if seconds else 0.0,
            "first_failures": [asdict(failure) for failure in self.failures],
            "failed_by_second": dict(self.failed_by_second),
        }


def _percentiles(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    if not ordered:
        return {}
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        name: round(ordered[min(last, int(len(ordered) * share))] * 1000, 2)
        for name, share in shares.items()
    }
