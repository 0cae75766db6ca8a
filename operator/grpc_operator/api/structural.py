"""Turns pydantic's JSON Schema into a Kubernetes structural schema.

The rules are those of apiextensions.k8s.io/v1 ("Specifying a structural schema"): no references, a
type at every level, no ``null`` type, no ``additionalProperties: false`` beside properties.
"""

import json
from typing import Any, NoReturn

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "not",
    "pattern",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
)
_DROPPED = {"title", "$defs", "$ref", "anyOf", "properties", "required", "items", "default"}
_DROPPED |= {"additionalProperties"}
_TYPELESS = {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}
"""What a schema without a type has."""


class NotStructuralError(TypeError):
    """A model uses something that a CRD cannot say; the message names the field."""


def structural(schema: Schema) -> Schema:
    """Returns the structural form of a whole pydantic JSON Schema (with ``$defs``).

    Integers get the format that Kubernetes' API conventions require of them.

    Raises:
        NotStructuralError: A CRD cannot express the type of a field, a field lacks a description, a
            list lacks a maximum length or a list type, or a field of a list's items has a default:
            whoever compares the object with a file, as Argo CD does, would find a difference for
            ever, for lists are compared as a whole.
    """
    return _convert(schema, schema.get("$defs", {}), "")


def hints(schema: Schema) -> str:
    """Returns the sentences of a description that ``kubectl explain`` would otherwise not show.

    It prints neither defaults nor the enum of a list's items.
    """
    default, values = schema.get("default"), schema.get("items", {}).get("enum")
    sentences = []
    if values:
        sentences.append(f"Each item is one of {', '.join(f'`{value}`' for value in values)}.")
    if default is not None and not isinstance(default, dict):  # its fields have their own
        sentences.append(f"Default: `{as_text(default)}`.")
    return " ".join(sentences)


def as_text(default: Any) -> str:
    """Returns a default value as people write it in YAML."""
    return default if isinstance(default, str) else json.dumps(default)


def _convert(schema: Schema, defs: dict[str, Schema], path: str) -> Schema:
    schema = _resolve(schema, defs, path)
    unknown = set(schema) - set(_KEPT) - _DROPPED
    if unknown:
        _refuse(path, f"schema keyword {', '.join(sorted(unknown))} has no structural form")
    out = {key: schema[key] for key in _KEPT if key in schema}
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    elif path and not path.endswith("]"):
        _refuse(path, "needs a docstring: kubectl explain shows it")
    if schema.get("default") is not None:
        if "[]" in path:
            _refuse(path, "a default in a list is a difference to GitOps tools; default to None")
        out["default"] = _default(schema["default"])
    _add_children(out, schema, defs, path)
    if "type" not in out and not _TYPELESS & out.keys():
        _refuse(path, "has no type")
    if out.get("type") == "integer":
        out["format"] = "int32" if out.get("maximum", 1 << 31) < 1 << 31 else "int64"
    if "description" in out:
        out["description"] = f"{out['description']} {hints(out)}".strip()
    return out


def _add_children(out: Schema, schema: Schema, defs: dict[str, Schema], path: str) -> None:
    if "properties" in schema:
        out["properties"] = {
            name: _convert(child, defs, f"{path}.{name}")
            for name, child in sorted(schema["properties"].items())
        }
        if schema.get("required"):
            out["required"] = sorted(schema["required"])
    elif isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = _convert(schema["additionalProperties"], defs, f"{path}[*]")
    if schema.get("type") == "array":
        if "maxItems" not in schema or "x-kubernetes-list-type" not in schema:
            _refuse(path, "a list needs max_length and a list type")
        out["items"] = _convert(schema["items"], defs, f"{path}[]")


def _resolve(schema: Schema, defs: dict[str, Schema], path: str) -> Schema:
    """Inlines a reference or the only branch of an optional that is not null.

    The outer keywords win: the docstring of a field replaces the one of its type, as in CRDs that
    controller-gen makes. A field without a docstring has the description of its type.
    """
    if "$ref" in schema:
        inner = _resolve(defs[schema["$ref"].removeprefix("#/$defs/")], defs, path)
    elif "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        if len(branches) != 1:
            _refuse(path, "is a union, which a structural schema cannot express")
        inner = _resolve(branches[0], defs, path)
    else:
        return schema
    return {**inner, **schema}


def _default(value: Any) -> Any:
    # An object's own fields carry their defaults, and the API server fills them into {}.
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return {} if isinstance(value, dict) else value


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(child) for key, child in value.items() if child is not None}


def _refuse(path: str, why: str) -> NoReturn:
    raise NotStructuralError(f"{path or 'root'}: {why}")
