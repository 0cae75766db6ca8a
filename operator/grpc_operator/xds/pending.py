"""What the next step waits for, and for how long."""

from grpc_operator.xds.responses import kind

ACK_TIMEOUT = 5.0
"""Seconds without progress after which the next step is begun all the same."""

ACK_TIMEOUT_PER_RESOURCE = 0.02
"""Seconds more for each pending resource.

Envoy handles a response as a whole and sends nothing meanwhile: 1000 new clusters, with as many
endpoints to request, took it 2 s, on a busy machine 7 s, and with a tenth of a core, which is what
its pods request, 17 s.
"""

Item = tuple[str, str]
"""Type URL and name of a resource."""


class Pending:
    """What the proxy has yet to acknowledge or to request; progress restarts the timeout.

    Attributes:
        now: The time in seconds, kept up to date by the owner.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._items: set[Item] = set()
        self._progress = 0.0

    @property
    def deadline(self) -> float | None:
        """When the timeout ends; ``None`` when nothing is pending."""
        if not self._items:
            return None
        return self._progress + ACK_TIMEOUT + ACK_TIMEOUT_PER_RESOURCE * len(self._items)

    def add(self, item: Item) -> None:
        """Adds one."""
        self._items.add(item)
        self._progress = self.now

    def discard(self, item: Item) -> None:
        """Removes one, if it is pending."""
        if item in self._items:
            self._items.remove(item)
            self._progress = self.now

    def expire(self) -> str:
        """Removes all of them, and returns a description of them for a log."""
        type_url, name = min(self._items)
        text = f"{len(self._items)} resources, such as {kind(type_url)} {name!r}"
        self._items.clear()
        return text
