"""A pod as its problems are found in it: its spec and status, whatever is missing in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grpc_operator import names

_Object = Mapping[str, Any]

LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00Z")


def time(text: object) -> datetime:
    """Returns a time of the API (RFC 3339); the epoch where there is none."""
    return datetime.fromisoformat(text) if isinstance(text, str) and text else LONG_AGO


@dataclass(frozen=True)
class Container:
    """A container, an init container, or an init container that goes on running (KEP-753).

    Attributes:
        spec: As in the spec of the pod; empty when it is not there.
        status: As in the status of the pod.
        is_init: Whether it is one of ``initContainers``.
    """

    spec: _Object
    status: _Object
    is_init: bool

    @property
    def is_sidecar(self) -> bool:
        """Whether it starts before the containers, and goes on running beside them."""
        return self.is_init and self.spec.get("restartPolicy") == "Always"

    @property
    def name(self) -> str:
        """What messages call it, such as ``init container migrate``."""
        kind = "sidecar container" if self.is_sidecar else "init container"
        return f"{kind if self.is_init else 'container'} {self.status.get('name', '')}"

    @property
    def is_ours(self) -> bool:
        """Whether it is the one with the gRPC server of a GrpcService."""
        return not self.is_init and self.status.get("name") == names.CONTAINER

    def state(self, name: str) -> _Object | None:
        """Returns ``waiting``, ``running`` or ``terminated`` if it is in that state."""
        state: _Object | None = (self.status.get("state") or {}).get(name)
        return state

    @property
    def last_end(self) -> _Object | None:
        """How it ended the last time, if it did."""
        last: _Object | None = (self.status.get("lastState") or {}).get("terminated")
        return self.state("terminated") or last

    @property
    def restarts(self) -> int:
        """How often the kubelet has started it again."""
        count: int = self.status.get("restartCount") or 0
        return count

    @property
    def has_started(self) -> bool:
        """Whether it runs and its startup probe, if it has one, has succeeded."""
        return self.state("running") is not None and self.status.get("started") is not False

    @property
    def started_at(self) -> datetime:
        """Since when it runs."""
        return time((self.state("running") or {}).get("startedAt"))


@dataclass(frozen=True)
class Pod:
    """A pod."""

    manifest: _Object

    @property
    def metadata(self) -> _Object:
        """Its metadata."""
        metadata: _Object = self.manifest["metadata"]
        return metadata

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata["name"])

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.metadata.get("uid", ""))

    @property
    def spec(self) -> _Object:
        """Its spec."""
        return self.manifest.get("spec") or {}

    @property
    def status(self) -> _Object:
        """Its status."""
        return self.manifest.get("status") or {}

    @property
    def created(self) -> datetime:
        """When it was created."""
        return time(self.metadata.get("creationTimestamp"))

    @property
    def revision(self) -> str:
        """Which pod template it was made from (the label of the Deployment controller)."""
        return str((self.metadata.get("labels") or {}).get("pod-template-hash", ""))

    @property
    def is_terminating(self) -> bool:
        """Whether it has been deleted, and is ending."""
        return "deletionTimestamp" in self.metadata

    def condition(self, type_: str) -> _Object:
        """Returns a condition; empty when it has none of that type."""
        for condition in self.status.get("conditions") or ():
            if condition["type"] == type_:
                found: _Object = condition
                return found
        return {}

    @property
    def is_ready(self) -> bool:
        """Whether it can be called."""
        return self.condition("Ready").get("status") == "True"

    def was_ready_after(self, time_: datetime) -> bool:
        """Whether it is or was ready after some time.

        The condition is false from the creation of the pod on, before any container starts.
        """
        ready = self.condition("Ready")
        return self.is_ready or (bool(ready) and time(ready.get("lastTransitionTime")) > time_)

    def containers(self) -> Iterator[Container]:
        """Yields those that have a status, in the order in which they start."""
        for field, is_init in (("initContainers", True), ("containers", False)):
            specs = {each.get("name"): each for each in self.spec.get(field) or ()}
            statuses = "initContainerStatuses" if is_init else "containerStatuses"
            for status in self.status.get(statuses) or ():
                yield Container(specs.get(status["name"], {}), status, is_init)
