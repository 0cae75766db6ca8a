"""What a reconcile needs from the outside: a cluster to write to, a copy of it to read."""

from typing import Protocol

from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import Key, Manifest, Resource


class Cluster(Protocol):
    """The API server. Every method raises ``ClusterError`` when it refuses or does not answer."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns one object, or ``None``."""

    async def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> Manifest:
        """Applies an object (server-side apply) and returns what it now is."""

    async def replace_lists(self, manifest: Manifest) -> Manifest:
        """Overwrites the lists of an object with the manifest's; returns what it now is."""

    async def apply_status(self, owner: Manifest) -> Manifest:
        """Applies the status of an owner and returns what the object now is."""

    async def delete(self, manifest: Manifest) -> None:
        """Deletes exactly this object."""

    async def create_event(self, event: Manifest) -> None:
        """Creates a Kubernetes Event."""


class View(Protocol):
    """The newest known copy of the cluster."""

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns the newest known version of one object."""

    def all(self, resource: Resource) -> list[Manifest]:
        """Returns the newest known version of every object of a resource."""

    def owners(self) -> list[Key]:
        """Returns every GrpcService and GrpcGateway."""

    def children(self, key: Key) -> list[Manifest]:
        """Returns the objects that an owner has made."""

    def belonging(self, key: Key, resource: Resource) -> list[Manifest]:
        """Returns what runs for an owner: its pods, or its EndpointSlices."""

    def put(self, resource: Resource, manifest: Manifest) -> bool:
        """Keeps what a write returned."""

    def discard(self, resource: Resource, manifest: Manifest) -> None:
        """Forgets what was deleted."""
