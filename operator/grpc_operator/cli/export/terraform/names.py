"""Names in Terraform configuration, from the names of objects."""

import re
from collections.abc import Hashable, Iterable, Mapping
from hashlib import sha256
from typing import TypeVar

_OTHER = re.compile(r"[^a-z0-9]+")
_HASH = 6

Key = TypeVar("Key", bound=Hashable)


def identifier(name: str) -> str:
    """Returns an identifier of HCL: letters, digits and underscores, no digit first."""
    plain = _OTHER.sub("_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"x_{plain}"


def identifiers(names: Iterable[tuple[Key, str]]) -> Mapping[Key, str]:
    """Returns an identifier for each key, from its name; several of the same get numbers."""
    found: dict[Key, str] = {}
    for key, name in names:
        made = first = identifier(name)
        count = 1
        while made in found.values():
            count += 1
            made = f"{first}_{count}"
        found.setdefault(key, made)
    return found


def short(name: str, most: int) -> str:
    """Returns a name of limited length; one that is cut ends with a hash of the whole."""
    if len(name) <= most:
        return name
    return f"{name[: most - _HASH - 1].rstrip('-')}-{sha256(name.encode()).hexdigest()[:_HASH]}"
