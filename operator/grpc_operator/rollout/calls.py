"""Calls of a revision, as all proxies of its gateway count them.

Attempts come from load reports, calls by method from the counters of the proxies. They
differ: a call that was retried is several attempts, but one call with the status of the last one.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class MethodCalls:
    """Calls of one method that have ended.

    Attributes:
        by_code: Number by gRPC status code, such as 13 for INTERNAL.
        by_milliseconds: Number by the time that they took, rounded up to 2 digits, in
            milliseconds. Envoy adds them every 5 s, so they are later than ``by_code``.
    """

    by_code: Mapping[int, int] = field(default_factory=dict)
    by_milliseconds: Mapping[float, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of calls."""
        return sum(self.by_code.values())

    @property
    def timed(self) -> int:
        """The number of calls whose time is known."""
        return sum(self.by_milliseconds.values())

    def failed(self, codes: frozenset[int]) -> int:
        """Returns the number of calls that ended with one of these codes."""
        return sum(count for code, count in self.by_code.items() if code in codes)

    def milliseconds(self, percent: float) -> float | None:
        """Returns the time in which so many percent of the calls had ended; ``None`` without any.

        Args:
            percent: More than 0, at most 100.
        """
        wanted, seen = self.timed * percent / 100, 0
        for bound in sorted(self.by_milliseconds):
            seen += self.by_milliseconds[bound]
            if seen and seen >= wanted:
                return bound
        return None

    def __add__(self, other: "MethodCalls") -> "MethodCalls":
        """Returns the calls of both."""
        return MethodCalls(
            _sum(self.by_code, other.by_code), _sum(self.by_milliseconds, other.by_milliseconds)
        )

    def since(self, before: "MethodCalls") -> "MethodCalls":
        """Returns the calls that were added since."""
        return MethodCalls(
            _difference(self.by_code, before.by_code),
            _difference(self.by_milliseconds, before.by_milliseconds),
        )


@dataclass(frozen=True)
class RevisionCalls:
    """Calls of one revision.

    Attributes:
        ok: Attempts that ended, and did not fail.
        failed: Attempts that failed, for Envoy (``xds.load_reports``): with UNKNOWN,
            DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS or without a status.
        in_flight: Calls that have not ended, open streams included; ``None`` while a proxy has not
            reported them.
        methods: By ``method_name``.
    """

    ok: int = 0
    failed: int = 0
    in_flight: int | None = None
    methods: Mapping[str, MethodCalls] = field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """The number of attempts that have ended."""
        return self.ok + self.failed

    def __add__(self, other: "RevisionCalls") -> "RevisionCalls":
        """Returns the calls of both; those in flight only if both are known."""
        known = self.in_flight is not None and other.in_flight is not None
        return RevisionCalls(
            self.ok + other.ok,
            self.failed + other.failed,
            (self.in_flight or 0) + (other.in_flight or 0) if known else None,
            {
                name: self.methods.get(name, _NONE) + other.methods.get(name, _NONE)
                for name in self.methods.keys() | other.methods.keys()
            },
        )

    def since(self, before: "RevisionCalls") -> "RevisionCalls":
        """Returns what was added since; the calls in flight are those of now."""
        return RevisionCalls(
            max(0, self.ok - before.ok),
            max(0, self.failed - before.failed),
            self.in_flight,
            {
                name: calls.since(before.methods.get(name, _NONE))
                for name, calls in self.methods.items()
            },
        )


_NONE = MethodCalls()


def method_name(service: str, method: str) -> str:
    """Returns the name of a method in ``RevisionCalls.methods``: as in its path."""
    return f"{service}/{method}"


def _sum(one: Mapping[_Key, int], other: Mapping[_Key, int]) -> dict[_Key, int]:
    return dict(Counter(one) + Counter(other))


def _difference(now: Mapping[_Key, int], before: Mapping[_Key, int]) -> dict[_Key, int]:
    return dict(Counter(now) - Counter(before))
