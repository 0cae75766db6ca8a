"""What the proxy logs and the faults that it can inject."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}

Kind = int | Literal["reset", "hang"]
"""An HTTP status, a connection reset, or an answer that does not come before the fault is over."""


_ANY_REPLICA = {"leases", "secrets", "tokenreviews"}
"""The Lease, the certificates of the xDS server, and a question that is asked by POST."""


@dataclass
class Call:
    """One request of an operator.

    Attributes:
        status: HTTP status of the answer; 0 while there is none.
        at: Time of arrival (``time.monotonic``).
        body: What was sent, of a write.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    at: float = 0.0
    body: bytes = b""

    @property
    def verdict(self) -> Any:
        """Of a write of a status: its conditions, without texts and times."""
        if not (self.is_write and self.resource.endswith("/status")):
            return None
        status = json.loads(self.body)["status"]
        return [
            (entry["type"], entry["status"], entry["reason"], entry.get("observedGeneration"))
            for entry in status["conditions"]
            if entry["type"] != "Available"
        ]

    @property
    def resource(self) -> str:
        """Plural name, with ``/status`` for that subresource."""
        parts = self.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            rest = rest[2:]
        return "/".join((rest or [""])[::2][:2])

    @property
    def name(self) -> str:
        """Name of the object; empty for lists and creations."""
        parts = self.path.strip("/").split("/")
        where = parts.index(self.resource.split("/")[0]) + 1
        return parts[where] if where < len(parts) else ""

    @property
    def is_write(self) -> bool:
        """Whether it changes something other than what every replica may write."""
        return self.method in _WRITES and self.resource not in _ANY_REPLICA

    @property
    def is_watch(self) -> bool:
        """Whether it opens a watch stream."""
        return self.method == "GET" and self.query.get("watch") in {"1", "true"}

    def __str__(self) -> str:
        return f"{self.method} {self.resource} {self.name} -> {self.status}"


@dataclass
class Fault:
    """Answers the next ``times`` requests that match with something other than the truth."""

    kind: Kind
    matches: Callable[[Call], bool]
    times: int = 1
    taken: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def takes(self, call: Call) -> bool:
        """Whether this request is one of those; counts it."""
        if self.taken >= self.times or call.is_watch or not self.matches(call):
            return False
        self.taken += 1
        return True


@dataclass
class WatchGate:
    """What happens to the watch streams of one resource.

    Attributes:
        open: While false, nothing is delivered and the streams stay silent.
        drop: Whether an event (one line of JSON) gets lost.
        gone: So many of the next attempts to watch are answered with 410.
    """

    open: bool = True
    drop: Callable[[bytes], bool] = lambda _: False
    gone: int = 0

    def take_gone(self) -> bool:
        """Whether to answer 410; counts it."""
        self.gone -= 1
        return self.gone >= 0

    async def passes(self, line: bytes) -> bool:
        """Waits until the gate is open, then returns whether the event is delivered."""
        while not self.open:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.05)
        return not self.drop(line)
