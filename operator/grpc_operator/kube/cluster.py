"""The operations the operator performs on a cluster, and nothing more."""

from collections.abc import Callable, Sequence
from typing import Any

from grpc_operator import resources
from grpc_operator.errors import ConflictError, LeaseLostError, NotFoundError
from grpc_operator.kube.connection import Connection
from grpc_operator.labels import FIELD_MANAGER, REPAIR_FIELD_MANAGER
from grpc_operator.resources import Manifest, Resource

_CONTENT_TYPES = {
    "apply": "application/apply-patch+yaml",
    "patch": "application/merge-patch+json",
    "replace": "application/json-patch+json",
}
_LIST_CHUNK = 500
"""Objects in one answer of a list."""
_LIST_TIMEOUT = 30.0
"""Seconds for one chunk of a list."""


class Cluster:
    """Reads at any time; writes only while this replica holds the Lease.

    Args:
        connection: How to reach the API server.
        may_write: Whether this replica is the one that writes.
        count_write: Called with the verb and kind of every write that is sent.
    """

    def __init__(
        self,
        connection: Connection,
        may_write: Callable[[], bool],
        count_write: Callable[[str, str], None],
    ) -> None:
        self._connection = connection
        self._may_write = may_write
        self._count_write = count_write

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns one object, or ``None`` when it does not exist."""
        try:
            return await self._connection.send("GET", resource.path(namespace, name))
        except NotFoundError:
            return None

    async def list(
        self, resource: Resource, namespace: str | None, label_selector: str
    ) -> tuple[list[Manifest], int]:
        """Returns all objects of a namespace (or of the cluster) and the list's version."""
        items: list[Manifest] = []
        query = {"limit": str(_LIST_CHUNK)}
        if label_selector:
            query["labelSelector"] = label_selector
        while True:
            answer = await self._connection.send(
                "GET", resource.path(namespace), query=query, timeout=_LIST_TIMEOUT
            )
            kind = {"apiVersion": resource.api_version, "kind": resource.kind}
            items += [{**kind, **item} for item in answer["items"]]
            proceed = answer["metadata"].get("continue")
            if not proceed:
                return items, int(answer["metadata"]["resourceVersion"])
            query["continue"] = proceed

    async def is_served(self, resource: Resource) -> bool:
        """Returns whether the API server knows a resource (its CRD is installed)."""
        try:
            answer = await self._connection.send("GET", f"/apis/{resource.api_version}")
        except NotFoundError:
            return False
        return any(entry["name"] == resource.plural for entry in answer["resources"])

    async def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> Manifest:
        """Applies an object (server-side apply, force) and returns what it now is."""
        return await self._patch("apply", manifest["kind"], _path(manifest), manifest, manager)

    async def replace(self, live: Manifest, desired: Manifest) -> None:
        """Replaces everything but the metadata of an object, whoever owns it.

        Server-side apply keeps what other managers have added. The entry that this leaves in
        ``managedFields`` is removed: a field with two managers could never be removed.

        Raises:
            ConflictError: The object has changed meanwhile.
        """
        path, kind = _path(desired), desired["kind"]
        body = [
            {
                "op": "add",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
            *(
                {"op": "add", "path": f"/{field}", "value": value}
                for field, value in desired.items()
                if field not in {"apiVersion", "kind", "metadata"}
            ),
        ]
        replaced = await self._patch("replace", kind, path, body, REPAIR_FIELD_MANAGER)
        kept = [
            entry
            for entry in replaced["metadata"].get("managedFields") or ()
            if entry["manager"] != REPAIR_FIELD_MANAGER
        ]
        await self.set_managed_fields({**replaced, "kind": kind}, kept)

    async def set_managed_fields(
        self, live: Manifest, managed_fields: Sequence[Manifest]
    ) -> Manifest:
        """Sets who owns the fields of an object, and returns what it now is.

        Raises:
            ConflictError: The object has changed meanwhile.
        """
        metadata = {
            "resourceVersion": live["metadata"]["resourceVersion"],
            "managedFields": [*managed_fields],
        }
        return await self._patch(
            "patch", live["kind"], _path(live), {"metadata": metadata}, REPAIR_FIELD_MANAGER
        )

    async def apply_status(self, owner: Manifest) -> Manifest:
        """Applies the ``status`` of an owner and returns what the object now is.

        The manifest carries the uid, so that a namesake made meanwhile is never written to.
        """
        kind = owner["kind"]
        return await self._patch(
            "apply", f"{kind}/status", f"{_path(owner)}/status", owner, FIELD_MANAGER
        )

    async def delete(self, manifest: Manifest) -> None:
        """Deletes exactly this object; it may be gone already.

        Raises:
            ConflictError: Another object of this name was created meanwhile, and stays; the next
                reconciliation sees it.
        """
        metadata = manifest["metadata"]
        self._check("delete", manifest["kind"])
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": metadata["uid"]},
            "propagationPolicy": "Background",
        }
        try:
            await self._connection.send("DELETE", _path(manifest), body=body)
        except NotFoundError:
            return

    async def create_event(self, event: Manifest) -> None:
        """Creates an Event; one of the same name is left as it is."""
        self._check("create", "Event")
        path = resources.EVENTS.path(event["metadata"]["namespace"])
        try:
            await self._connection.send("POST", path, body=event)
        except ConflictError:
            return

    async def _patch(self, verb: str, kind: str, path: str, body: Any, manager: str) -> Manifest:
        self._check(verb, kind)
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if verb == "apply":
            query["force"] = "true"
        return await self._connection.send(
            "PATCH", path, query=query, body=body, content_type=_CONTENT_TYPES[verb]
        )

    def _check(self, verb: str, kind: str) -> None:
        if not self._may_write():
            raise LeaseLostError("this replica does not hold the Lease")
        self._count_write(verb, kind)


def _path(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return resources.of(manifest).path(metadata["namespace"], metadata["name"])
