"""A cluster in memory with server-side apply as far as the reconcilers need it."""

from copy import deepcopy
from typing import Any

from grpc_operator import managed_fields, resources
from grpc_operator.errors import ClusterError, ConflictError
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import Manifest, Resource

Where = tuple[str, str]
"""Kind and name."""


class FakeCluster:
    """Applies what it is given, and fails where a test says so.

    Attributes:
        objects: What exists, by kind and name.
        writes: What was written: the verb and ``Kind/name``.
        refusals: Errors of the next applies, by kind and name; one is used up by each.
        reads: How often an object was read.
    """

    def __init__(self) -> None:
        self.objects: dict[Where, Manifest] = {}
        self.writes: list[str] = []
        self.refusals: dict[Where, list[ClusterError]] = {}
        self.reads = 0
        self._version = 100

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns one object."""
        self.reads += 1
        found = self.objects.get((resource.kind, name))
        return deepcopy(found) if found and found["metadata"]["namespace"] == namespace else None

    async def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> Manifest:
        """Applies a manifest: the manager owns exactly its fields then."""
        where = self._write("apply", manifest)
        live = self.objects.get(where) or {"metadata": {"uid": f"uid-{where[1]}"}}
        entries = managed_fields.entries(live)
        kept = [each for each in entries if each["manager"] != manager]
        fields: dict[str, Any] = {
            "f:metadata": fields_of(
                {k: v for k, v in manifest["metadata"].items() if k not in {"name", "namespace"}}
            ),
            **{
                f"f:{k}": fields_of(v)
                for k, v in manifest.items()
                if k not in {"apiVersion", "kind", "metadata"}
            },
        }
        mine = {"manager": manager, "operation": "Apply", "fieldsV1": fields}
        body = {**live, **deepcopy(manifest)}
        if "spec" in body:  # what others have added stays
            body["spec"] = {**live.get("spec", {}), **body["spec"]}
        return self._store(where, body, live["metadata"], [*kept, mine])

    async def create(self, manifest: Manifest) -> Manifest:
        """Applies a manifest unless there is an object of its name."""
        where = manifest["kind"], manifest["metadata"]["name"]
        if where in self.objects:
            self.refusals.setdefault(where, []).insert(0, ConflictError("it exists"))
        return await self.apply(manifest)

    async def replace(self, live: Manifest, desired: Manifest) -> None:
        """Replaces everything but the metadata."""
        where = self._write("replace", desired)
        body = {k: v for k, v in desired.items() if k != "metadata"}
        kept = [each for each in managed_fields.entries(live) if each["manager"] == FIELD_MANAGER]
        self._store(where, {"metadata": live["metadata"], **deepcopy(body)}, live["metadata"], kept)

    async def set_managed_fields(self, live: Manifest, entries: list[dict[str, Any]]) -> Manifest:
        """Sets who owns the fields."""
        return self._store(self._write("own", live), live, live["metadata"], entries)

    async def delete(self, manifest: Manifest) -> None:
        """Deletes an object."""
        del self.objects[self._write("delete", manifest)]

    def edit(self, resource: Resource, name: str, spec: dict[str, Any]) -> Manifest:
        """Changes fields of a spec as kubectl edit does: it takes them over."""
        live = self.objects[resource.kind, name]
        for entry in managed_fields.entries(live):
            for field in spec:
                entry["fieldsV1"].get("f:spec", {}).pop(f"f:{field}", None)
        fields: dict[str, Any] = {"f:spec": {f"f:{field}": {} for field in spec}}
        edit = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": fields}
        entries = [*managed_fields.entries(live), edit]
        changed = {**live, "spec": {**live["spec"], **spec}}
        return self._store((resource.kind, name), changed, live["metadata"], entries)

    def _write(self, verb: str, manifest: Manifest) -> Where:
        where = manifest["kind"], manifest["metadata"]["name"]
        self.writes.append(f"{verb} {'/'.join(where)}")
        if self.refusals.get(where):
            raise self.refusals[where].pop(0)
        return where

    def _store(
        self, where: Where, body: Manifest, old: dict[str, Any], entries: list[dict[str, Any]]
    ) -> Manifest:
        self._version += 1
        metadata = {
            **old,
            **body["metadata"],
            "uid": old["uid"],
            "resourceVersion": str(self._version),
            "managedFields": entries,
        }
        self.objects[where] = {**body, "metadata": metadata}
        assert resources.of(self.objects[where])
        return deepcopy(self.objects[where])

    async def list(
        self, resource: Resource, namespace: str, label_selector: str
    ) -> tuple[list[Manifest], int]:
        """Returns all objects of a kind."""
        assert label_selector == ""
        found = [each for (kind, _), each in self.objects.items() if kind == resource.kind]
        return [each for each in found if each["metadata"]["namespace"] == namespace], 1


def fields_of(value: Any) -> dict[str, Any]:
    """Returns the FieldsV1 of a value; lists are atomic here."""
    if not isinstance(value, dict):
        return {}
    return {f"f:{key}": fields_of(child) for key, child in value.items()}
