"""How often the operator writes again what others change back: at once, and then ever more rarely.

Two managers that both insist on a field write as fast as their watches report changes. Neither can
know that the other stopped but by writing, so the operator goes on, at most once a minute.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from grpc_operator import limits

_AT_ONCE = 5
"""Rewrites without a delay: somebody edits by hand, or a controller needs a moment to learn."""

_FIRST_DELAY = 2.0
"""Seconds before the next one, doubled each time."""

_MOST = _AT_ONCE + 16
"""Rewrites from which on the delay is the longest."""

_PERIOD = float(limits.REWRITE_PERIOD.value)
_CALM = 2 * _PERIOD
"""Seconds without a rewrite after which the others have stopped."""


@dataclass
class _History:
    version: str
    rewrites: int
    at: float
    about: str = ""


class Rewrites:
    """What was written again without a change of what is desired.

    Args:
        clock: Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._histories: dict[Hashable, _History] = {}

    def due_in(self, what: Hashable, version: str) -> float:
        """Returns the seconds until a thing may be written; 0 for now.

        Args:
            what: Names the thing.
            version: Of what is to be written; another one than before is never delayed.
        """
        history = self._histories.get(what)
        if history is None or history.version != version or self._is_over(history):
            return 0.0
        excess = history.rewrites - _AT_ONCE
        if excess < 0:
            return 0.0
        delay = min(_PERIOD, _FIRST_DELAY * 2.0 ** min(excess, _MOST - _AT_ONCE))
        return max(0.0, history.at + delay - self._clock())

    def wrote(
        self, what: Hashable, version: str, about: str = "", *, lasting: bool = False
    ) -> None:
        """Notes a write.

        Args:
            what: Names the thing.
            version: Of what was written.
            about: Who had changed which fields before it.
            lasting: Whether they are known to do so again.
        """
        now, history = self._clock(), self._histories.get(what)
        if lasting:
            self._histories[what] = _History(version, _MOST, now, about)
            return
        if history is None or self._is_over(history):
            self._histories[what] = _History(version, 0, now, about)
            return
        again = history.version == version
        history.rewrites += again
        history.version, history.at = version, now
        history.about = about or history.about

    def contest(self, what: Hashable) -> str | None:
        """Returns who changes which fields again and again; ``None`` if nobody does."""
        history = self._histories.get(what)
        if history is None or history.rewrites < _AT_ONCE or self._is_over(history):
            return None
        return history.about

    def forget(self, is_gone: Callable[[Hashable], bool]) -> None:
        """Forgets things that are gone."""
        for what in [what for what in self._histories if is_gone(what)]:
            del self._histories[what]

    def _is_over(self, history: _History) -> bool:
        return self._clock() - history.at > _CALM
