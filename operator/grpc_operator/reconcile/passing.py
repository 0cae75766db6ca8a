"""States that end by themselves in a moment: what the operator itself is about to do next."""

from grpc_operator.resources import Key

SETTLE = 0.5
"""Seconds for which such a state has to last before it is worth a write of the status."""

LONGEST = 30.0
"""Seconds after which a status is written although one such state has followed another."""


class Passing:
    """Since when owners have been in such a state.

    While many objects are created, nobody ever reads that a descriptor is being read or that a call
    through a proxy has not ended yet, but each write of it keeps the API server from what serves.
    """

    def __init__(self) -> None:
        self._known: dict[Key, tuple[str, float, float]] = {}

    def wait(self, key: Key, state: str, now: float) -> float:
        """Returns the seconds until a state is worth a write; 0 when it is.

        Args:
            key: The owner.
            state: What the operator does next; empty when it waits for others, or for nothing.
            now: The time in seconds.
        """
        if not state:
            self.forget(key)
            return 0.0
        known, since, first = self._known.get(key, (state, now, now))
        since = since if known == state else now
        self._known[key] = state, since, first
        return max(0.0, min(since + SETTLE, first + LONGEST) - now)

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._known.pop(key, None)
