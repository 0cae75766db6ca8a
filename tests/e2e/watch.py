"""What happens to all objects of a kind, with the time at which it was seen."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.e2e.cluster import Cluster


@dataclass(frozen=True)
class Seen:
    """A version of an object.

    Attributes:
        at: When it was seen, in seconds of the monotonic clock.
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        object: The object.
    """

    at: float
    type: str
    object: dict[str, Any]


class Watch:
    """Records every version of the objects of a resource, until closed.

    Args:
        cluster: The cluster.
        path: Path of the resource at the API server.
    """

    def __init__(self, cluster: Cluster, path: str) -> None:
        self._seen: list[Seen] = []
        self._process = cluster.start("get", "--raw", f"{path}?watch=1")
        self._thread = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._thread.start()

    def of(self, namespace: str, name: str) -> list[Seen]:
        """Returns the versions of one object."""
        return [
            seen
            for seen in [*self._seen]
            if seen.object["metadata"]["name"] == name
            and seen.object["metadata"]["namespace"] == namespace
        ]

    def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            if line.startswith("{"):
                event = json.loads(line)
                self._seen.append(Seen(time.monotonic(), event["type"], event["object"]))
