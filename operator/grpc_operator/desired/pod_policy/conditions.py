"""Conditions for one value, each in words, in Python and in CEL.

The three stand side by side: the operator checks a pod by one before it writes it, the API server
by another (ValidatingAdmissionPolicy), and what one refuses the other must refuse.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grpc_operator import labels


@dataclass(frozen=True, eq=False)
class Condition:
    """What a value must fulfil.

    Attributes:
        text: It in words that follow the name of a field.
        accepts: Returns whether a value, of any type, fulfils it; the second argument is the
            ServiceAccount that the pods may run as, or ``None``.
        cel: The same as CEL, with ``VALUE`` for the value and ``object`` for the Deployment.
    """

    text: str
    accepts: Callable[[Any, str | None], bool]
    cel: str


UNSET = Condition("must not be set", lambda _value, _account: False, "false")
"""There is no value."""

OWN_ACCOUNT = Condition(
    "must be the ServiceAccount that the operator creates, or one that allows it in its annotation"
    f" {labels.ALLOWED_GRPC_SERVICES}",
    lambda value, account: bool(value == account),
    "VALUE == object.metadata.name || (has(object.metadata.labels)"
    f" && {json.dumps(labels.SERVICE)} in object.metadata.labels"
    f" && object.metadata.labels[{json.dumps(labels.SERVICE)}] == VALUE"
    " && object.metadata.name.startsWith(VALUE + '-')"
    " && object.metadata.name.substring(size(VALUE)).matches('^-[0-9a-f]{8}$'))"
    " || (has(object.metadata.annotations)"
    f" && {json.dumps(labels.SERVICE_ACCOUNT)} in object.metadata.annotations"
    f" && object.metadata.annotations[{json.dumps(labels.SERVICE_ACCOUNT)}] == VALUE)",
)
"""The value is the ServiceAccount that the pods may run as: for the API server the one of the
Deployment's name, as the operator's own is, that of the GrpcService of which the Deployment is a
revision, or the one in the Deployment's annotation."""


def one_of(*values: bool | str) -> Condition:
    """The value is one of these."""
    return Condition(
        f"must be {_any_of(values)}",
        # 0 equals False in Python; for the API server it is another value.
        lambda value, _: any(type(value) is type(each) and value == each for each in values),
        f"VALUE in {json.dumps(values)}",
    )


def none_of(*values: int | str) -> Condition:
    """The value is none of these."""
    return Condition(
        f"must not be {_any_of(values)}",
        lambda value, _: value not in values,
        f"!(VALUE in {json.dumps(values)})",
    )


def without_prefix(prefix: str) -> Condition:
    """The value does not begin so."""
    return Condition(
        f"must not begin with {prefix}",
        lambda value, _: not str(value).startswith(prefix),
        f"!VALUE.startsWith({json.dumps(prefix)})",
    )


def no_key_with_prefix(prefix: str) -> Condition:
    """No key of the map begins so."""
    return Condition(
        f"must have no key that begins with {prefix}",
        lambda value, _: not any(str(key).startswith(prefix) for key in value),
        f"!VALUE.exists(key, key.startsWith({json.dumps(prefix)}))",
    )


def contains(item: str) -> Condition:
    """The list contains this."""
    return Condition(
        f"must contain {item}",
        lambda value, _: isinstance(value, list) and item in value,
        f"{json.dumps(item)} in VALUE",
    )


def only_of(*items: str) -> Condition:
    """The list contains nothing else than these."""
    return Condition(
        f"must contain only {_any_of(items)}",
        lambda value, _: isinstance(value, list) and all(item in items for item in value),
        f"VALUE.all(item, item in {json.dumps(items)})",
    )


def volume_of(*types: str) -> Condition:
    """The volume is of one of these types; one without any type becomes an ``emptyDir``."""
    return Condition(
        f"must be of type {_any_of(types)}",
        lambda value, _: isinstance(value, dict) and value.keys() - {"name"} <= set(types),
        # The API server allows exactly one source, so one of these leaves no room for another.
        " || ".join(f"has(VALUE.{type_})" for type_ in types),
    )


def _any_of(values: tuple[bool | int | str, ...]) -> str:
    words = ["empty" if value == "" else str(value) for value in values]
    words = [word.lower() if word in {"True", "False"} else word for word in words]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
