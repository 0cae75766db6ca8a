"""Tells whether a live object still says what the operator wants.

Compares only what the operator applies: other managers' fields and list items are theirs. An empty
result means that nothing has to be written, so a difference must never be missed, and a value that
the API server merely spells differently must never be reported: it would be written for ever.

The order of lists that are merged by key is not compared: server-side apply does not own it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grpc_operator.desired.common import empties, quantity
from grpc_operator.desired.overlay import merge_keys
from grpc_operator.resources import Manifest

_DROPPED_WHEN_ZERO = {
    *("effect", "fsType", "hostIPC", "hostNetwork", "hostPID", "hostPort", "hostname"),
    *("initialDelaySeconds", "key", "medium", "nodeName", "operator", "prefix"),
    *("priorityClassName", "readOnly", "stdin", "stdinOnce", "subPath", "subPathExpr"),
    *("subdomain", "tty", "value", "workingDir"),
}
"""Fields that Kubernetes' Go types leave out of JSON when they are 0, false or empty
(``omitempty`` on a plain value, k8s.io/api)."""

_SERVER_DEFAULTS = {
    "apiVersion": "v1",
    "divisor": "0",
    "expirationSeconds": 3600,
    "maxExpirationSeconds": 86400,
}
"""What the API server adds to items of atomic lists (``fieldRef``, ``resourceFieldRef`` and the
token and certificate sources of a projected volume)."""

Difference = tuple[str, Any]


def differences(live: Manifest, desired: Manifest) -> dict[str, Any]:
    """Returns every path of ``desired`` at which ``live`` says something else.

    Lists of objects are matched by Kubernetes' merge keys, atomic lists as a whole, quantities by
    amount; an empty map or list equals an absent one.

    Args:
        live: The object as the API server returned it.
        desired: The object as the operator would apply it.

    Returns:
        Path to live value (None when it is absent), such as
        ``spec.template.spec.containers[name=grpc].image``. Empty: no write is needed.
    """
    return dict(_compare(live, desired, _Place("", ())))


@dataclass(frozen=True)
class _Place:
    text: str
    fields: quantity.Fields

    @property
    def field(self) -> str:
        return self.fields[-1] if self.fields else ""

    def child(self, key: str) -> "_Place":
        if "." in key or "/" in key:
            text = f"{self.text}[{key}]"
        else:
            text = f"{self.text}.{key}" if self.text else key
        return _Place(text, (*self.fields, key))

    def item(self, identity: merge_keys.Identity) -> "_Place":
        keys = ",".join(f"{key}={value}" for key, value in identity)
        return _Place(f"{self.text}[{keys}]", self.fields)


def _compare(live: Any, desired: Any, place: _Place) -> Iterator[Difference]:
    if isinstance(desired, dict):
        yield from _compare_map(live, desired, place)
    elif isinstance(desired, list):
        yield from _compare_list(live, desired, place)
    elif not _same_value(live, desired, place.fields):
        yield place.text, live


def _compare_map(live: Any, desired: dict[str, Any], place: _Place) -> Iterator[Difference]:
    meaningful = not desired and place.field in empties.MEANINGFUL
    if not isinstance(live, dict) and (live is not None or meaningful):
        yield place.text, live
        return
    for key, value in desired.items():
        yield from _compare((live or {}).get(key), value, place.child(key))


def _compare_list(live: Any, desired: list[Any], place: _Place) -> Iterator[Difference]:
    live_items = [] if live is None else live
    keys = merge_keys.of(place.field, desired)
    wanted = [merge_keys.identity(item, keys) for item in desired]
    if not isinstance(live_items, list):
        yield place.text, live
    elif not keys or None in wanted:
        if not _same(live_items, desired, place.fields):
            yield place.text, live
    else:
        present = {merge_keys.identity(item, keys): item for item in live_items}
        for identity, item in zip(wanted, desired, strict=True):
            if identity is not None:
                yield from _compare(present.get(identity), item, place.item(identity))


def _same(live: Any, desired: Any, fields: quantity.Fields) -> bool:
    """Compares inside an atomic list, where the operator owns everything."""
    if isinstance(desired, dict):
        return _same_map(live, desired, fields)
    if isinstance(desired, list):
        items = [] if live is None else live
        return (
            isinstance(items, list)
            and len(items) == len(desired)
            and all(_same(*pair, fields) for pair in zip(items, desired, strict=True))
        )
    return _same_value(live, desired, fields)


def _same_map(live: Any, desired: dict[str, Any], fields: quantity.Fields) -> bool:
    if live is None:
        meaningful = bool(fields) and fields[-1] in empties.MEANINGFUL
        return not desired and not meaningful
    if not isinstance(live, dict):
        return False
    added = {key: live[key] for key in live if key not in desired}
    return all(_SERVER_DEFAULTS.get(key) == value for key, value in added.items()) and all(
        _same(live.get(key), value, (*fields, key)) for key, value in desired.items()
    )


def _same_value(live: Any, desired: Any, fields: quantity.Fields) -> bool:
    if live is None:
        dropped = bool(fields) and fields[-1] in _DROPPED_WHEN_ZERO and not desired
        return desired is None or dropped
    if quantity.is_at(fields) and quantity.equal(live, desired):
        return True
    # In Python True == 1; in JSON they are different values.
    if isinstance(live, bool) or isinstance(desired, bool):
        return live is desired
    return bool(live == desired)
