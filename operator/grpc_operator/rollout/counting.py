"""Sums of counters that begin at zero when the process that counts begins.

Proxies restart, and so do replicas of the operator. What they counted before stays counted, and
nothing is counted twice.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Counting(Generic[Name]):
    """The sum of the same counters of several sources since the first reading of each.

    Args:
        most: Counters that are kept of one source; further ones are ignored, so that what a source
            says is bounded.

    Attributes:
        sums: By the name of the counter; they never decrease.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._read: dict[Hashable, dict[Name, int]] = {}
        self.sums: Counter[Name] = Counter()

    def read(self, source: Hashable, counters: Mapping[Name, int]) -> None:
        """Adds what a source has counted since it was read before.

        The first reading of a source adds nothing: what was counted before belongs to an earlier
        time. A counter that appears later begins at zero, and so does one that has decreased.

        Args:
            source: Who counts: a proxy, or another replica of the operator.
            counters: All that it says.
        """
        before = self._read.get(source)
        if before is None:
            self._read[source] = dict(list(counters.items())[: self._most])
            return
        for name, value in counters.items():
            known = before.get(name, 0)
            if name not in before and len(before) >= self._most:
                continue
            added = value - known if value >= known else value
            before[name] = value
            if added and (name in self.sums or len(self.sums) < self._most):
                self.sums[name] += added

    def keep_only(self, sources: set[Hashable]) -> None:
        """Forgets sources that are gone; what they counted stays."""
        for gone in self._read.keys() - sources:
            del self._read[gone]
