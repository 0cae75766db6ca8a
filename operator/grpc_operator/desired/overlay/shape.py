"""Checks that an overlay can be merged: its size, its depth, and the keys of its lists.

Which fields a PodSpec has, and of which type, is the API server's answer.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from grpc_operator import limits
from grpc_operator.desired.overlay import merge_keys
from grpc_operator.errors import Problem

PATH = "spec.podTemplate.spec"
CONTAINER_LISTS = ("containers", "initContainers")


def limit_problems(pod: dict[str, Any]) -> list[Problem]:
    """Returns the problem of an overlay that is too deep or too large to look into."""
    if _deeper_than(pod, limits.OVERLAY_DEPTH.value):
        return [
            Problem(PATH, f"is nested more than {limits.OVERLAY_DEPTH} levels deep; flatten it")
        ]
    size = len(json.dumps(pod).encode())
    if size > limits.OVERLAY_BYTES.value:
        advice = "move data to a ConfigMap and mount it"
        return [
            Problem(PATH, f"has {size} bytes of JSON, at most {limits.OVERLAY_BYTES} fit; {advice}")
        ]
    return []


def problems(pod: dict[str, Any]) -> list[Problem]:
    """Returns where an overlay cannot be merged. It must be within the limits."""
    return list(_value_problems(pod, PATH, ""))


def containers(pod: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every container and init container of an overlay with its path."""
    for field in CONTAINER_LISTS:
        for index, container in objects(pod.get(field)):
            yield f"{PATH}.{field}[{index}]", container


def objects(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects in what should be a list of objects, with their places."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _deeper_than(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        return False
    return levels == 0 or any(_deeper_than(child, levels - 1) for child in children)


def _value_problems(value: Any, path: str, field: str) -> Iterator[Problem]:
    """Finds at any depth what no overlay may hold."""
    if value is None:
        yield Problem(path, "must not be null: an overlay adds and replaces; leave the field out")
    elif isinstance(value, dict):
        for key, child in value.items():
            if key.startswith("$"):
                yield Problem(
                    f"{path}.{key}",
                    "patch directives are not supported: an overlay adds and replaces; remove it",
                )
            else:
                yield from _value_problems(child, f"{path}.{key}", key)
    elif isinstance(value, list):
        yield from _key_problems(value, path, field)
        for index, item in enumerate(value):
            yield from _value_problems(item, f"{path}[{index}]", "")


def _key_problems(items: list[Any], path: str, field: str) -> Iterator[Problem]:
    """Finds items that a merge could not distinguish."""
    keys = merge_keys.of(field, items)
    if not keys:
        return
    identities = [merge_keys.identity(item, keys) for item in items]
    for index, identity in enumerate(identities):
        if identity is None and isinstance(items[index], dict):
            yield Problem(f"{path}[{index}]", f"needs {' and '.join(keys)} to be merged by")
    for identity, count in Counter(identities).items():
        if identity is not None and count > 1:
            text = ", ".join(f"{key} {value}" for key, value in identity)
            yield Problem(path, f"holds {count} items with {text}; keep one")
