"""Who owns the fields of a live object, by its ``metadata.managedFields``.

The operator applies whole manifests by server-side apply, so the API server keeps the set of fields
that it owns. Whoever changes one of them takes it over, and whoever removes one takes it out of the
set (Kubernetes docs, Server-Side Apply, "Field management"). So an object needs a write exactly
when another manifest was applied last (``labels.APPLIED_HASH``) or a field of the manifest is not
the operator's any more. Values are never compared: how the API server writes a quantity, what it
fills in, and what an admission webhook makes of a request are its own business.

Fields are written as in ``FieldsV1`` (sigs.k8s.io/structured-merge-diff, fieldpath): ``f:NAME`` for
a field, ``k:KEYS`` for an item of a list that is merged by keys, ``v:VALUE`` for an item of a set;
a node without children is owned as a whole.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator import labels, managed_fields
from grpc_operator.resources import Manifest

Fields = Mapping[str, Any]
"""A node of ``fieldsV1``."""

_NOT_TRACKED = {"apiVersion", "kind"}
_METADATA_NOT_TRACKED = {"name", "namespace"}
"""What ``managedFields`` leaves out: no manager can own the identity of an object."""


@dataclass(frozen=True)
class Field:
    """A field of a manifest.

    Attributes:
        path: For people, such as ``spec.template.spec.containers[name=grpc].image``.
        keys: The way to it in ``fieldsV1``; for a missing item of a list, the way to the list.
    """

    path: str
    keys: tuple[str, ...]

    def below(self, key: str) -> "Field":
        """Returns a field of the object at this one."""
        if "." in key or "/" in key:
            path = f"{self.path}[{key}]"
        else:
            path = f"{self.path}.{key}" if self.path else key
        return Field(path, (*self.keys, f"f:{key}"))


@dataclass(frozen=True)
class Deviation:
    """How a live object deviates from what the operator would apply.

    Attributes:
        desired_hash: Hash of the manifest that the operator would apply.
        applied_hash: Hash of the manifest that was applied last, if any was.
        lost: The outermost fields of the manifest that the operator does not own.
    """

    desired_hash: str | None
    applied_hash: str | None
    lost: tuple[Field, ...]

    def __str__(self) -> str:
        if not self.lost:
            return f"its annotation {labels.APPLIED_HASH} is {self.applied_hash}"
        return f"{', '.join(field.path for field in self.lost)} not owned by the operator"


def deviation(live: Manifest, desired: Manifest) -> Deviation | None:
    """Returns how a live object deviates from a manifest; ``None`` when nothing is to be written.

    Args:
        live: The object as the API server returned it.
        desired: What the operator would apply.
    """
    wanted, applied = applied_hash(desired), applied_hash(live)
    lost = tuple(_lost_fields(live, desired))
    return Deviation(wanted, applied, lost) if lost or wanted != applied else None


def managers_of(live: Manifest, fields: Iterable[Field]) -> list[str]:
    """Returns the other managers that own one of these fields now, sorted."""
    return sorted(
        {
            str(entry["manager"])
            for entry in managed_fields.entries(live)
            if not _is_operator(entry)
            and any(_has(managed_fields.fields(entry), field.keys) for field in fields)
        }
    )


def other_managers(live: Manifest) -> list[str]:
    """Returns who else has written to an object, apart from its subresources, sorted."""
    return sorted(
        {
            str(entry["manager"])
            for entry in managed_fields.entries(live)
            if not entry.get("subresource") and not _is_ours(entry)
        }
    )


def is_applied(live: Manifest) -> bool:
    """Returns whether the operator has applied anything to an object, as far as is known."""
    return bool(_owned_by_operator(live))


def without_updates(live: Manifest) -> list[dict[str, Any]]:
    """Returns the ``managedFields`` without those of whoever wrote the object as a whole.

    Those of server-side apply and of subresources remain.
    """
    return [
        entry
        for entry in managed_fields.entries(live)
        if entry.get("operation") == "Apply" or entry.get("subresource")
    ]


def owns(live: Manifest, *path: str) -> bool:
    """Returns whether the operator owns one field, such as ``("spec", "replicas")``."""
    return _has(_owned_by_operator(live), tuple(f"f:{key}" for key in path))


def _lost_fields(live: Manifest, desired: Manifest) -> Iterator[Field]:
    tracked = {key: value for key, value in desired.items() if key not in _NOT_TRACKED}
    tracked["metadata"] = {
        key: value for key, value in desired["metadata"].items() if key not in _METADATA_NOT_TRACKED
    }
    owned = _owned_by_operator(live)
    # Only below the root does a node without children mean that it is owned as a whole.
    return _lost(tracked, owned or {".": {}}, Field("", ()))


def applied_hash(manifest: Manifest) -> str | None:
    """Returns the hash that a manifest carries, if it does."""
    return (manifest["metadata"].get("annotations") or {}).get(labels.APPLIED_HASH)


def _is_operator(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is of what the operator applied: edits under its name do not count."""
    return (
        entry["manager"] == labels.FIELD_MANAGER
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
    )


def _is_ours(entry: Mapping[str, Any]) -> bool:
    return _is_operator(entry) or entry["manager"] == labels.HANDOVER_FIELD_MANAGER


def _owned_by_operator(live: Manifest) -> Fields:
    for entry in managed_fields.entries(live):
        if _is_operator(entry):
            return managed_fields.fields(entry)
    return {}


def _has(fields: Fields, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if key not in fields:
            return False
        fields = fields[key]
    return True


def _lost(value: Any, owned: Fields, at: Field) -> Iterator[Field]:
    if not owned:
        return  # owned as a whole
    if isinstance(value, dict):
        for key, child in value.items():
            field = at.below(key)
            node = owned.get(field.keys[-1])
            if node is None:
                yield field
            else:
                yield from _lost(child, node, field)
    elif isinstance(value, list):
        yield from _lost_items(value, _Items(owned), at)


def _lost_items(items: list[Any], owned: "_Items", at: Field) -> Iterator[Field]:
    for index, item in enumerate(items):
        found = owned.find(item)
        if found is None:
            yield Field(f"{at.path}[{index}]", at.keys)
        else:
            key, node = found
            yield from _lost(item, node, Field(f"{at.path}[{_shown(key)}]", (*at.keys, key)))


class _Items:
    """The owned items of one list."""

    def __init__(self, fields: Fields) -> None:
        self._by_value: dict[str, tuple[str, Fields]] = {}
        self._by_keys: list[tuple[dict[str, Any], tuple[str, Fields]]] = []
        for key, node in fields.items():
            if key.startswith("v:"):
                self._by_value[key] = (key, node)
            elif key.startswith("k:"):
                self._by_keys.append((json.loads(key[2:]), (key, node)))

    def find(self, item: Any) -> tuple[str, Fields] | None:
        """Returns the key and the node of an item; a key field that it lacks has its default."""
        if not isinstance(item, dict):
            return self._by_value.get(f"v:{json.dumps(item)}")
        for keys, found in self._by_keys:
            if all(item.get(name, value) == value for name, value in keys.items()):
                return found
        return None


def _shown(key: str) -> str:
    if key.startswith("v:"):
        return key[2:]
    return ",".join(f"{name}={value}" for name, value in json.loads(key[2:]).items())
