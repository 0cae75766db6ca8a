"""What the next step waits for, and for how long."""

from grpc_operator.xds.messages import kind

PATIENCE = 5.0
"""Seconds without progress after which the next step is begun all the same."""

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
        self._end = 0.0

    @property
    def deadline(self) -> float | None:
        """When the patience ends; ``None`` when nothing is waited for."""
        return self._end if self._items else None

    def add(self, item: Item) -> None:
        """Waits for one more."""
        self._items.add(item)
        self._end = self.now + PATIENCE

    def discard(self, item: Item) -> None:
        """Ends the waiting for one."""
        if item in self._items:
            self._items.remove(item)
            self._end = self.now + PATIENCE

    def give_up(self) -> str:
        """Ends the waiting for all of them, and returns what was missing, for a log."""
        type_url, name = min(self._items)
        text = f"{len(self._items)} resources, such as {kind(type_url)} {name!r}"
        self._items.clear()
        return text
