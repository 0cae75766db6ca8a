"""The operations the operator performs on a cluster, and nothing more."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from grpc_operator import managed_fields, resources
from grpc_operator.errors import ClusterError, ConflictError, LeaseLostError, NotFoundError
from grpc_operator.kube import apply_body
from grpc_operator.kube.connection import Connection
from grpc_operator.labels import FIELD_MANAGER, REPAIR_FIELD_MANAGER
from grpc_operator.resources import Manifest, Resource

_CONTENT_TYPES = {
    "apply": apply_body.CONTENT_TYPE,
    "patch": "application/merge-patch+json",
    "replace": "application/json-patch+json",
}
_LIST_CHUNK = 100
"""Objects in one answer of a list: parsed, it takes much more memory than what is kept of it."""
_LIST_TIMEOUT = 30.0
"""Seconds for one chunk of a list."""

_NO_VERSION = "1"
"""The first revision of an etcd, which is that of no object."""

_WRITE_TIMEOUT = 14
"""Seconds after which the API server ends a write, and says which admission webhook has not
answered (query parameter ``timeout``). A webhook has 10 s unless it says otherwise."""
_ANSWER_TIMEOUT = _WRITE_TIMEOUT + 2.0
"""Seconds after which a write counts as not answered."""

_DONE_ALREADY = {"create": ConflictError, "delete": NotFoundError}
"""Answers that are no failure, by verb."""


class WriteCounter(Protocol):
    """Counts writes, by verb and kind."""

    def wrote(self, verb: str, kind: str) -> None:
        """Counts one that is sent."""

    def write_failed(self, verb: str, kind: str, status: int) -> None:
        """Counts one that failed with an HTTP status; 0: no answer."""


class Cluster:
    """Reads at any time; writes only while this replica holds the Lease.

    Args:
        connection: How to reach the API server.
        may_write: Whether this replica is the one that writes.
        counter: Counts the writes.
    """

    def __init__(
        self,
        connection: Connection,
        may_write: Callable[[], bool],
        counter: WriteCounter,
    ) -> None:
        self._connection = connection
        self._may_write = may_write
        self._counter = counter

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

    async def last_warning(self, namespace: str, uid: str) -> Manifest | None:
        """Returns the last Event about an object if it is a Warning.

        Args:
            namespace: Where the object is.
            uid: Of the object.
        """
        query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": str(_LIST_CHUNK)}
        path = resources.CORE_EVENTS.path(namespace)
        answer = await self._connection.send("GET", path, query=query)
        # What the kubelet adds after two minutes of waiting only repeats that it waits.
        events = [
            event
            for event in answer["items"]
            if not event.get("message", "").startswith("Unable to attach or mount volumes")
        ]
        last = max(events, key=_last_seen, default=None)
        return last if last is not None and last.get("type") == "Warning" else None

    async def missing_crds(self) -> Sequence[str]:
        """Returns the names of the CRDs that are not installed.

        Raises:
            ClusterError: The API server does not say.
        """
        return [
            f"{owner.plural}.{owner.group}"
            for owner in resources.OWNERS
            if not await self._is_served(owner)
        ]

    async def _is_served(self, resource: Resource) -> bool:
        try:
            answer = await self._connection.send("GET", f"/apis/{resource.api_version}")
        except NotFoundError:
            return False
        return any(entry["name"] == resource.plural for entry in answer["resources"])

    async def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> Manifest:
        """Applies an object (server-side apply, force) and returns what it now is."""
        return await self._patch("apply", manifest["kind"], _path(manifest), manifest, manager)

    async def create(self, manifest: Manifest) -> Manifest:
        """Applies an object that does not exist, and returns what it now is.

        The resource version is that of no object, so none that exists is changed; the API server
        checks it only against one that exists.

        Raises:
            ConflictError: There is an object of this name, or the conflict is about another one.
        """
        metadata = {**manifest["metadata"], "resourceVersion": _NO_VERSION}
        return await self.apply({**manifest, "metadata": metadata})

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
            for entry in managed_fields.entries(replaced)
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
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": metadata["uid"]},
            "propagationPolicy": "Background",
        }
        try:
            await self._write("delete", manifest["kind"], "DELETE", _path(manifest), body=body)
        except NotFoundError:
            return

    async def create_event(self, event: Manifest, repeated: Callable[[Manifest], Manifest]) -> None:
        """Creates an Event, or changes the one of the same name.

        Args:
            event: The Event.
            repeated: Returns what changes in the one that exists; nothing if it is empty.
        """
        metadata = event["metadata"]
        path = resources.EVENTS.path(metadata["namespace"])
        try:
            await self._write("create", "Event", "POST", path, body=event)
        except ConflictError:
            path = f"{path}/{metadata['name']}"
            try:
                live = await self._connection.send("GET", path)
                change = repeated(live)
                if change:
                    await self._patch("patch", "Event", path, change, FIELD_MANAGER)
            except NotFoundError:
                return  # it has expired meanwhile

    async def _patch(self, verb: str, kind: str, path: str, body: Any, manager: str) -> Manifest:
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if verb == "apply":
            query["force"] = "true"
        return await self._write(
            verb, kind, "PATCH", path, query=query, body=body, content_type=_CONTENT_TYPES[verb]
        )

    async def _write(  # noqa: PLR0913 - what is counted, and an HTTP request
        self,
        verb: str,
        kind: str,
        method: str,
        path: str,
        *,
        body: Any,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        if not self._may_write():
            raise LeaseLostError("this replica does not hold the Lease")
        self._counter.wrote(verb, kind)
        try:
            return await self._connection.send(
                method,
                path,
                query={**(query or {}), "timeout": f"{_WRITE_TIMEOUT}s"},
                body=body,
                content_type=content_type,
                timeout=_ANSWER_TIMEOUT,
            )
        except ClusterError as error:
            if not isinstance(error, _DONE_ALREADY.get(verb, ())):
                self._counter.write_failed(verb, kind, error.status)
            raise


def _last_seen(event: Manifest) -> str:
    """Returns when an Event was seen last, by whatever version of the API it was made."""
    series = event.get("series") or {}
    found = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
    )
    return str(found)


def _path(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return resources.of(manifest).path(metadata["namespace"], metadata["name"])
