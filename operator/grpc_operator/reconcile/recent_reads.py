"""What was read of ConfigMaps a moment ago: they are not watched, their readers run often."""

import time
from collections.abc import Callable, Collection, Hashable

from grpc_operator.resources import Key


class RecentReads:
    """Remembers what ConfigMaps had for the revisions of services.

    Args:
        seconds: How long it is good for.
        clock: Returns seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._read: dict[Key, dict[str, tuple[float, Hashable, str]]] = {}

    def origin(self, key: Key, revision: str, about: Hashable) -> str | None:
        """Returns the origin of a descriptor that was read for the same spec, if it is recent."""
        found = self._read.get(key, {}).get(revision)
        if found is None or found[1] != about or self._clock() >= found[0]:
            return None
        return found[2]

    def note(self, key: Key, revision: str, about: Hashable, origin: str) -> None:
        """Notes what was read just now."""
        self._read.setdefault(key, {})[revision] = self._clock() + self._seconds, about, origin

    def forget(self, key: Key, kept: Collection[str] = ()) -> None:
        """Forgets a service that is gone, or the revisions of a service that are."""
        read = {each: found for each, found in self._read.pop(key, {}).items() if each in kept}
        if read:
            self._read[key] = read
