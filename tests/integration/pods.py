"""Plays the kubelet's part: without a node, somebody must say how the pods are doing."""

import threading
from collections.abc import Callable
from typing import Any

from grpc_operator.resources import PODS, Manifest
from tests.integration.api import Api, ApiError

Status = dict[str, Any]
Answer = Callable[[Manifest], Status | None]
"""Returns the status that a pod should have, or ``None`` to leave it alone."""

_PERIOD = 0.1


def ready(pod: Manifest) -> Status:
    """Every container runs and is ready."""
    return _status(pod, True, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})


def waiting(reason: str, message: str) -> Answer:
    """No container starts, for this reason."""

    def answer(pod: Manifest) -> Status:
        return _status(pod, False, {"waiting": {"reason": reason, "message": message}})

    return answer


def without_status(pod: Manifest) -> None:
    """The kubelet has not reported a status of the pod yet."""


def _status(pod: Manifest, running: bool, state: dict[str, Any]) -> Status:  # noqa: FBT001
    truth = "True" if running else "False"
    return {
        "phase": "Running" if running else "Pending",
        "conditions": [
            {"type": type_, "status": truth if type_ != "PodScheduled" else "True"}
            for type_ in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": running,
                "restartCount": 0,
                "state": state,
            }
            for container in pod["spec"]["containers"]
        ],
    }


class Kubelet:
    """Gives every pod of a namespace the status that ``answer`` says, until stopped.

    Attributes:
        answer: What to say about a pod.
        pod_ip: The address that all pods get; none when empty.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        self.answer: Answer = ready
        self.pod_ip = ""
        self._api = api
        self._namespace = namespace
        self._stop = threading.Event()
        self._given: dict[str, Status] = {}
        self._thread = threading.Thread(target=self._run, name="kubelet", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            for pod in self._api.list(PODS, self._namespace):
                self._sync_pod(pod)

    def _sync_pod(self, pod: Manifest) -> None:
        uid = pod["metadata"]["uid"]
        status = self.answer(pod)
        if status is not None and self.pod_ip:
            status |= {"podIP": self.pod_ip, "podIPs": [{"ip": self.pod_ip}]}
        if status is None or "deletionTimestamp" in pod["metadata"]:
            return
        if self._given.get(uid) == status:
            return
        try:
            self._api.patch(
                PODS, self._namespace, pod["metadata"]["name"], {"status": status}, sub="/status"
            )
        except ApiError as error:
            if error.status not in {404, 409}:  # gone meanwhile, or changed: the next round retries
                raise
        else:
            self._given[uid] = status
