"""``metadata.managedFields`` of live objects, of which the store keeps the text.

Parsed, they are most of an object: a small dictionary for every field that anybody owns, and of
every object that is stored they are read only when it is reconciled.
"""

import json
from collections.abc import Mapping
from typing import Any

_NAME = "managedFields"


def entries(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the entries of an object, as the API server returned it or as the store keeps it."""
    found = live["metadata"].get(_NAME) or []
    parsed: list[dict[str, Any]] = json.loads(found) if isinstance(found, str) else found
    return parsed


def fields(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the fields of an entry, in the form of ``FieldsV1``."""
    found: Mapping[str, Any] = entry.get("fieldsV1") or {}
    return found


def packed(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the metadata of an object with its entries as text."""
    found = metadata.get(_NAME)
    if not found or isinstance(found, str):
        return metadata
    return {**metadata, _NAME: json.dumps(found, separators=(",", ":"))}
