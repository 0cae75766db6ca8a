"""``metadata.managedFields`` of live objects, of which the store keeps the text.

Parsed, they are most of an object: a small dictionary for every field that anybody owns, and of
every object that is stored they are read only when it is reconciled. What others of the same shape
have as well is kept once: the fields of an entry differ by the UIDs of owners only.
"""

import json
import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

_NAME = "managedFields"
_FIELDS = "fieldsV1"

_UID = re.compile("[0-9a-f-]{36}")
"""Those that Kubernetes gives; whoever writes an object may name an owner by any other text."""


def entries(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the entries of an object, as the API server returned it or as the store keeps it."""
    metadata = live["metadata"]
    found: Sequence[Any] = metadata.get(_NAME) or ()
    if not isinstance(found, tuple):
        return [*found]
    uids = _uids(metadata)
    return [
        {**entry, _FIELDS: json.loads(_with(uids, text))} if text else {**entry}
        for entry, text in found
    ]


def fields(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the fields of an entry, in the form of ``FieldsV1``."""
    found: Mapping[str, Any] = entry.get(_FIELDS) or {}
    return found


def packed(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the metadata of an object with the fields of its entries as text."""
    found = metadata.get(_NAME)
    if not found or isinstance(found, tuple):
        return metadata
    uids = _uids(metadata)
    return {**metadata, _NAME: tuple(_packed(entry, uids) for entry in found)}


def _packed(entry: Mapping[str, Any], uids: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Returns an entry without its fields, and those; empty if it has none."""
    others = {name: value for name, value in entry.items() if name != _FIELDS}
    if _FIELDS not in entry:
        return others, ""
    return others, intern(_without(uids, json.dumps(entry[_FIELDS], separators=(",", ":"))))


def _uids(metadata: Mapping[str, Any]) -> list[str]:
    found = (str(each.get("uid")) for each in metadata.get("ownerReferences") or ())
    return [uid for uid in found if _UID.fullmatch(uid)]


def _without(uids: Sequence[str], text: str) -> str:
    """Returns JSON with the numbers of owners, which are no JSON, in the place of their UIDs."""
    for number, uid in enumerate(uids):
        text = text.replace(uid, f"\0{number}\0")
    return text


def _with(uids: Sequence[str], text: str) -> str:
    for number, uid in reversed([*enumerate(uids)]):
        text = text.replace(f"\0{number}\0", uid)
    return text
