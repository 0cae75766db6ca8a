"""Everything that happened to the GrpcServices of a namespace, as a watch saw it."""

import threading

from grpc_operator.resources import GRPC_SERVICES, Manifest
from tests.integration.api import Api
from tests.waiting import wait_until

_WATCH_SECONDS = 120


class History:
    """Records from construction on, until the first object is deleted."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.seen: list[Manifest] = []
        self._api = api
        self._namespace = namespace
        threading.Thread(target=self._run, name="history", daemon=True).start()

    def caught_up(self, live: Manifest) -> list[Manifest]:
        """Returns every version up to ``live``, the newest known one."""
        wanted = live["metadata"]["resourceVersion"]

        def versions() -> list[str]:
            return [seen["metadata"]["resourceVersion"] for seen in self.seen]

        wait_until(lambda: wanted in versions(), f"the watch delivers version {wanted}")
        return self.seen[: versions().index(wanted) + 1]

    def _run(self) -> None:
        for event in self._api.watch(GRPC_SERVICES, self._namespace, _WATCH_SECONDS):
            self.seen.append(event["object"])
            if event["type"] == "DELETED":
                return
