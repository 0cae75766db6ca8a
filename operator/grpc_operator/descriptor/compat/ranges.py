"""Reserved names and numbers of a message or enum."""

from bisect import bisect_left
from collections.abc import Collection, Iterable

from grpc_operator.descriptor.descriptor_error import shown

Range = tuple[int, int]
"""First and last number."""

_MOST_NAMED = 5


class Ranges:
    """Numbers of ranges that may overlap, in any order."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._sorted: list[Range] = []
        for start, end in sorted(ranges):
            if self._sorted and start <= self._sorted[-1][1] + 1:
                self._sorted[-1] = self._sorted[-1][0], max(end, self._sorted[-1][1])
            else:
                self._sorted.append((start, end))

    def __contains__(self, number: int) -> bool:
        return self.covers((number, number))

    def covers(self, part: Range) -> bool:
        """Returns whether all numbers of a range are in them."""
        index = bisect_left(self._sorted, part[0], key=lambda each: each[1])
        if index == len(self._sorted):
            return False
        start, end = self._sorted[index]
        return start <= part[0] and part[1] <= end


def missing(
    old: tuple[Iterable[Range], Collection[str]], new: tuple[Iterable[Range], Collection[str]]
) -> str:
    """Returns the numbers and names that are no longer reserved, the first of them as text."""
    known = Ranges(new[0])
    found = [
        f"{start}" if start == end else f"{start} to {end}"
        for start, end in sorted(old[0])
        if not known.covers((start, end))
    ]
    found += sorted(shown(name) for name in set(old[1]) - set(new[1]))
    more = len(found) - _MOST_NAMED
    return ", ".join(found[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
