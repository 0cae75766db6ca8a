"""Fields, types and limits of a structural schema (apiextensions.k8s.io/v1)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from grpc_operator.cli.schema.problem import Location, SchemaProblem, path
from grpc_operator.descriptor import nearest

_SHOWN = 60
_MOST_NAMED = 30
_OBJECT = {"apiVersion", "kind", "metadata"}
_PRESERVES = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"


def checked(value: dict[str, Any], schema: dict[str, Any]) -> tuple[Any, list[SchemaProblem]]:
    """Returns an object as the API server would store it, and what it would refuse.

    Args:
        value: The object, without its status.
        schema: The root schema of its kind.
    """
    found = list(_unknown(value, schema, ()))
    filled = _filled(value, schema)
    return filled, [*found, *_problems(filled, schema, ())]


def type_name(value: Any) -> str:
    """Returns the type of a value as the API server names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names: dict[type, str] = {float: "number", str: "string", dict: "object", list: "array"}
    return names.get(type(value), type(value).__name__)


def _unknown(value: Any, schema: dict[str, Any], location: Location) -> Iterator[SchemaProblem]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, schema.get("items", {}), (*location, index))
    if not isinstance(value, dict):
        return
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for key, child in value.items():
        here = (*location, key)
        if not location and key in _OBJECT:
            continue
        if key in properties:
            yield from _unknown(child, properties[key], here)
        elif isinstance(others, dict):
            yield from _unknown(child, others, here)
        elif not schema.get(_PRESERVES):
            yield SchemaProblem(
                here, "Unknown", f'unknown field "{path(here)}"', _instead(key, properties)
            )


def _instead(key: str, properties: dict[str, Any]) -> str:
    if not properties:
        return "Remove it."
    near = nearest(str(key), properties)
    if near is not None:
        return f"Did you mean {near}?"
    if len(properties) > _MOST_NAMED:
        return "Remove it; docs/api.md has the fields."
    return f"Remove it; the fields are {', '.join(sorted(properties))}."


def _filled(value: Any, schema: dict[str, Any]) -> Any:
    """Returns a value without nulls that have no default, and with defaults."""
    if isinstance(value, list):
        return [_filled(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    known = {key: properties.get(key, others) for key in value}
    kept = {
        key: child
        for key, child in value.items()
        if child is not None or not isinstance(known[key], dict)
    }
    defaults = {
        name: child["default"]
        for name, child in properties.items()
        if "default" in child and name not in kept
    }
    return {
        key: _filled(child, properties.get(key) or (others if isinstance(others, dict) else {}))
        for key, child in (kept | defaults).items()
    }


def _problems(value: Any, schema: dict[str, Any], location: Location) -> Iterator[SchemaProblem]:
    wrong_type = _of_type(value, schema, location)
    if wrong_type is not None:
        yield wrong_type
        return
    yield from _of_value(value, schema, location)
    if isinstance(value, str):
        yield from _of_text(value, schema, location)
    elif isinstance(value, list):
        yield from _of_list(value, schema, location)
    elif isinstance(value, dict):
        yield from _of_object(value, schema, location)


def _of_type(value: Any, schema: dict[str, Any], location: Location) -> SchemaProblem | None:
    found = type_name(value)
    if schema.get(_INT_OR_STRING):
        wanted = ["integer", "string"]
    elif "type" in schema:
        wanted = [schema["type"]]
    else:
        return None
    if found in wanted or (found == "integer" and "number" in wanted):
        return None
    message = f"must be of type {','.join(wanted)}: it is of type {found}"
    fix = "Write it in quotes." if "string" in wanted and found in _SCALARS else ""
    return SchemaProblem(location, "Value", message, fix, blocks=True)


_SCALARS = {"boolean", "integer", "number"}


def _of_value(value: Any, schema: dict[str, Any], location: Location) -> Iterator[SchemaProblem]:
    if "enum" in schema and value not in schema["enum"]:
        values = ", ".join(json.dumps(each) for each in schema["enum"])
        near = nearest(str(value), [str(each) for each in schema["enum"]])
        message = f"Unsupported value: {shown(value)}: supported values: {values}"
        fix = f"Did you mean {near}?" if near else ""
        yield SchemaProblem(location, "Value", message, fix, blocks=True)
    refused = schema.get("not", {}).get("enum")
    if refused is not None and any(value is each for each in refused):
        message = f"must not be {' or '.join(json.dumps(each) for each in refused)}"
        yield SchemaProblem(location, "Value", message)
    if isinstance(value, int | float):
        for key, words, holds in (
            ("minimum", "greater than or equal to", value >= schema.get("minimum", value)),
            ("maximum", "less than or equal to", value <= schema.get("maximum", value)),
        ):
            if not holds and key in schema:  # NaN is within no limit
                message = f"Invalid value: {shown(value)}: should be {words} {schema[key]}"
                yield SchemaProblem(location, "Value", message)


def _of_text(value: str, schema: dict[str, Any], location: Location) -> Iterator[SchemaProblem]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < least:
        message = f"Invalid value: {shown(value)}: should be at least {least} chars long"
        yield SchemaProblem(location, "Value", message)
    if most is not None and len(value) > most:
        message = f"Too long: may not be more than {most} bytes"
        yield SchemaProblem(location, "Value", message, blocks=True)
    elif "pattern" in schema and not _matches(schema["pattern"], value):
        message = f"Invalid value: {shown(value)}: should match '{schema['pattern']}'"
        yield SchemaProblem(location, "Value", message)


def _matches(pattern: str, value: str) -> bool:
    r"""Returns whether RE2 would find a pattern, whose ``$`` matches only at the end of a text."""
    return re.search(re.sub(r"(?<!\\)\$(?=$|\|)", r"\\Z", pattern), value) is not None


def _of_list(
    value: list[Any], schema: dict[str, Any], location: Location
) -> Iterator[SchemaProblem]:
    yield from _of_size(len(value), schema, location, "Items", "items")
    yield from _repeated(value, schema, location)
    for index, item in enumerate(value):
        yield from _problems(item, schema.get("items", {}), (*location, index))


def _repeated(
    value: list[Any], schema: dict[str, Any], location: Location
) -> Iterator[SchemaProblem]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", ())
    seen: set[str] = set()
    for index, item in enumerate(value):
        identity = item
        if kind == "map" and isinstance(item, dict):
            identity = {key: item[key] for key in keys if key in item}
        text = json.dumps(identity, sort_keys=True, default=str)
        if kind in {"map", "set"} and text in seen:
            yield SchemaProblem((*location, index), "Value", f"Duplicate value: {text[:_SHOWN]}")
        seen.add(text)


def _of_object(
    value: dict[str, Any], schema: dict[str, Any], location: Location
) -> Iterator[SchemaProblem]:
    yield from _of_size(len(value), schema, location, "Properties", "properties")
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield SchemaProblem((*location, name), "Required", "Required value", blocks=True)
    for key, child in value.items():
        if key in properties:
            yield from _problems(child, properties[key], (*location, key))
        elif isinstance(others, dict):
            yield from _problems(child, others, (*location, key))


def _of_size(
    size: int, schema: dict[str, Any], location: Location, suffix: str, noun: str
) -> Iterator[SchemaProblem]:
    least, most = schema.get(f"min{suffix}", 0), schema.get(f"max{suffix}")
    if size < least:
        message = f"Invalid value: should have at least {least} {noun}"
        yield SchemaProblem(location, "Value", message)
    if most is not None and size > most:
        message = f"Too many: {size}: must have at most {most} items"
        yield SchemaProblem(location, "Value", message, blocks=True)


def shown(value: Any) -> str:
    """Returns a value for a message: JSON, bounded."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
