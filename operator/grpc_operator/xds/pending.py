"""What the next step waits for, and for how long."""

from grpc_operator.xds.responses import kind

PATIENCE = 5.0
"""Seconds without progress after which the next step is begun all the same."""

PATIENCE_EACH = 0.02
"""Seconds more for each resource that is waited for.

Envoy takes a response as a whole and says nothing meanwhile: 1000 new clusters, with as many
endpoints to be asked for, took it 2 s, on a busy machine 7 s, and with a tenth of a core, which is
what its pods request, 17 s.
"""

Item = tuple[str, str]
"""Type URL and name of a resource."""


class Waiting:
    """The resources that the proxy has yet to answer for; all progress renews the patience.

    Attributes:
        now: The time in seconds, kept up to date by the owner.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._items: set[Item] = set()
        self._progress = 0.0

    @property
    def deadline(self) -> float | None:
        """When the patience ends; ``None`` when nothing is waited for."""
        if not self._items:
            return None
        return self._progress + PATIENCE + PATIENCE_EACH * len(self._items)

    def add(self, item: Item) -> None:
        """Waits for one more."""
        self._items.add(item)
        self._progress = self.now

    def discard(self, item: Item) -> None:
        """Ends the waiting for one."""
        if item in self._items:
            self._items.remove(item)
            self._progress = self.now

    def give_up(self) -> str:
        """Ends the waiting for all of them, and returns what was missing, for a log."""
        type_url, name = min(self._items)
        text = f"{len(self._items)} resources, such as {kind(type_url)} {name!r}"
        self._items.clear()
        return text
