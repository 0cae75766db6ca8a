"""The newest known copy of every watched object."""

from collections.abc import Iterable, Mapping
from typing import Any

from grpc_operator import labels
from grpc_operator.api.metadata import ObjectMeta
from grpc_operator.engine.compact import compact
from grpc_operator.resources import (
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    NAMESPACES,
    OWNERS,
    PODS,
    Key,
    Manifest,
    Resource,
)

_OWNER_KINDS = {owner.kind for owner in OWNERS}
_OWNER_LABELS = {labels.SERVICE: GRPC_SERVICES.kind, labels.GATEWAY: GRPC_GATEWAYS.kind}


def owner_key(resource: Resource, manifest: Mapping[str, Any]) -> Key | None:
    """Returns the GrpcService or GrpcGateway that an object is, belongs to, or runs for."""
    metadata = manifest["metadata"]
    if resource is NAMESPACES:
        return None
    namespace = metadata["namespace"]
    if resource in OWNERS:
        return Key(resource.kind, namespace, metadata["name"])
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller") and reference.get("kind") in _OWNER_KINDS:
            return Key(reference["kind"], namespace, reference["name"])
    # Pods belong to a ReplicaSet, and a child may have lost its reference by somebody's hand.
    for label, kind in _OWNER_LABELS.items():
        name = (metadata.get("labels") or {}).get(label)
        if name:
            return Key(kind, namespace, name)
    return None


def _version(manifest: Mapping[str, Any]) -> int:
    # Resource versions of one resource are ordered numbers (KEP-5504, GA in Kubernetes 1.35).
    return int(manifest["metadata"]["resourceVersion"])


def _where(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Returns namespace and name; a Namespace has no namespace."""
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Store:
    """Objects by resource, namespace and name, and by the owner they belong to.

    Older versions never replace newer ones, whichever of watch, list or write delivers them.
    """

    def __init__(self) -> None:
        self._objects: dict[Resource, dict[tuple[str, str], Manifest]] = {}
        self._belonging: dict[Key, dict[tuple[Resource, str], Manifest]] = {}

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns the newest known version of one object, if it exists."""
        return self._objects.get(resource, {}).get((namespace, name))

    def owned(self, resource: Resource, owner: ObjectMeta, name: str) -> Manifest | None:
        """Returns the object of a name if this very owner controls it."""
        found = self.get(resource, owner.namespace, name)
        if found is None or labels.controller_uid(found) != owner.uid:
            return None
        return found

    def all(self, resource: Resource) -> list[Manifest]:
        """Returns the newest known version of every object of a resource."""
        return list(self._objects.get(resource, {}).values())

    def owners(self) -> list[Key]:
        """Returns every GrpcService and GrpcGateway."""
        return [
            Key(owner.kind, namespace, name)
            for owner in OWNERS
            for namespace, name in self._objects.get(owner, ())
        ]

    def children(self, key: Key) -> list[Manifest]:
        """Returns the objects that an owner has made."""
        found = self._belonging.get(key, {}).items()
        not_children = {*OWNERS, PODS, ENDPOINT_SLICES}
        return [manifest for (resource, _), manifest in found if resource not in not_children]

    def belonging(self, key: Key, resource: Resource) -> list[Manifest]:
        """Returns what runs for an owner: its pods, or its EndpointSlices."""
        found = self._belonging.get(key, {}).items()
        return [manifest for (kind, _), manifest in found if kind is resource]

    def put(self, resource: Resource, manifest: Manifest) -> bool:
        """Keeps an object unless a newer version is known; returns whether the store changed."""
        metadata, where = manifest["metadata"], _where(manifest)
        known = self._objects.setdefault(resource, {}).get(where)
        if known is not None:
            if _version(known) >= _version(manifest):
                return False
            self._unlink(resource, known)
        manifest = compact(manifest)
        self._objects[resource][where] = manifest
        key = owner_key(resource, manifest)
        if key is not None:
            self._belonging.setdefault(key, {})[resource, metadata["name"]] = manifest
        return True

    def discard(self, resource: Resource, manifest: Mapping[str, Any]) -> None:
        """Forgets an object, unless its name has meanwhile been given to another one."""
        metadata, where = manifest["metadata"], _where(manifest)
        known = self._objects.get(resource, {}).get(where)
        if known is not None and known["metadata"]["uid"] == metadata["uid"]:
            del self._objects[resource][where]
            self._unlink(resource, known)

    def replace(self, resource: Resource, manifests: Iterable[Manifest], list_version: int) -> None:
        """Replaces all objects by a list, and forgets those that it does not have.

        Args:
            resource: What was listed.
            manifests: The items.
            list_version: The list's own resource version; what is newer in the store stays.
        """
        manifests = list(manifests)
        for manifest in manifests:
            self.put(resource, manifest)
        present = {_where(manifest) for manifest in manifests}
        for where, known in list(self._objects.get(resource, {}).items()):
            if where not in present and _version(known) <= list_version:
                self.discard(resource, known)

    def _unlink(self, resource: Resource, manifest: Manifest) -> None:
        key = owner_key(resource, manifest)
        if key is None:
            return
        group = self._belonging.get(key, {})
        group.pop((resource, manifest["metadata"]["name"]), None)
        if not group:
            self._belonging.pop(key, None)
