"""Objects in the form in which they are kept: with little memory, because all of them are.

Every response of the API server is parsed by itself, so every object comes with strings of its own
for the same names of fields and for the same values.
"""

from sys import intern
from typing import Any

from grpc_operator import managed_fields
from grpc_operator.resources import Manifest

_LONGEST_SHARED = 64
"""Characters of a value that may well be in other objects too: names, labels, enumerations."""


def compact(manifest: Manifest) -> Manifest:
    """Returns an equal object that shares its strings, with ``managedFields`` packed."""
    metadata = managed_fields.packed(manifest["metadata"])
    shared: Manifest = _shared({**manifest, "metadata": metadata})
    return shared


def _shared(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return intern(value) if len(value) <= _LONGEST_SHARED else value
    if kind is dict:
        return {intern(name): _shared(each) for name, each in value.items()}
    if kind is tuple:
        return tuple(_shared(each) for each in value)
    return [_shared(each) for each in value] if kind is list else value
