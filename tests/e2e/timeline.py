"""What the cluster did and when: pods, endpoints, and the steps of a test, for its failures."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.e2e.cluster import Cluster
from tests.waiting import HANG

_READY = '{.status.conditions[?(@.type=="Ready")].status}'
_WATCHED = {
    "pods": {
        "NAME": "{.metadata.namespace}/{.metadata.name}",
        "PHASE": "{.status.phase}",
        "READY": _READY,
        "LEAVES": "{.metadata.deletionTimestamp}",
        "IP": "{.status.podIP}",
    },
    "endpointslices": {
        "NAME": "{.metadata.namespace}/{.metadata.name}",
        "ADDRESSES": "{.endpoints[*].addresses[0]}",
        "READY": "{.endpoints[*].conditions.ready}",
        "SERVING": "{.endpoints[*].conditions.serving}",
        "TERMINATING": "{.endpoints[*].conditions.terminating}",
    },
}


@dataclass(frozen=True)
class Moment:
    """Something that happened, in seconds since the epoch."""

    time: float
    text: str

    def __str__(self) -> str:
        return f"{clock(self.time)} {self.text}"


class Timeline:
    """Watches the cluster from `open` to `close`.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._moments: list[Moment] = []
        self._watches: list[subprocess.Popen[str]] = []
        self._threads: list[threading.Thread] = []

    def open(self) -> None:
        """Begins to watch."""
        for resource, columns in _WATCHED.items():
            fields = (f'{{"{name}="}}{path}' for name, path in columns.items())
            template = '{"\\t"}'.join(fields) + '{"\\n"}'
            watch = self._cluster.start(
                "get", resource, "--all-namespaces", "--watch", "-o", f"jsonpath={template}"
            )
            thread = threading.Thread(target=self._read, args=(resource, watch), daemon=True)
            thread.start()
            self._watches.append(watch)
            self._threads.append(thread)

    def close(self) -> None:
        """Ends the watches; what was seen stays."""
        for watch in self._watches:
            watch.kill()
            watch.wait()
        for thread in self._threads:
            thread.join(HANG)

    def note(self, text: str) -> None:
        """Adds a step of the test."""
        self._moments.append(Moment(time.time(), f"TEST {text}"))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Adds when a step of the test begins and ends."""
        self.note(f"begins: {text}")
        yield
        self.note(f"ended: {text}")

    def around(self, first: str, last: str, seconds: float = 15) -> str:
        """Returns what happened near two times of day in UTC, such as ``12:00:00.000``."""
        lower, upper = _of_day(first) - seconds, _of_day(last) + seconds
        near = [m for m in sorted(self._moments, key=lambda m: m.time) if lower <= _day(m) <= upper]
        return "\n".join(map(str, near)) or "nothing was seen"

    def _read(self, resource: str, watch: subprocess.Popen[str]) -> None:
        assert watch.stdout is not None
        seen: dict[str, str] = {}
        for line in watch.stdout:
            text = line.strip()
            name = text.split("\t", 1)[0]
            if seen.get(name) != text:
                seen[name] = text
                self._moments.append(Moment(time.time(), f"{resource} {text}"))


def clock(moment: float) -> str:
    """Returns a time of day in UTC with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S.%f")[:-3]


def _of_day(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _day(moment: Moment) -> float:
    return _of_day(clock(moment.time))
