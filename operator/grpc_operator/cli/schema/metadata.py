"""Names, labels and annotations, as the API server checks those of every kind.

Facts: k8s.io/apimachinery ``pkg/api/validation/objectmeta.go`` and ``pkg/util/validation``.
"""

import re
from collections.abc import Iterator
from typing import Any

from grpc_operator.cli.schema.problem import SchemaProblem
from grpc_operator.cli.schema.structure import shown, type_name
from grpc_operator.descriptor import nearest

_FIELDS = {
    "annotations": "object",
    "creationTimestamp": "string",
    "deletionGracePeriodSeconds": "integer",
    "deletionTimestamp": "string",
    "finalizers": "array",
    "generateName": "string",
    "generation": "integer",
    "labels": "object",
    "managedFields": "array",
    "name": "string",
    "namespace": "string",
    "ownerReferences": "array",
    "resourceVersion": "string",
    "selfLink": "string",
    "uid": "string",
}
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}([.]{_LABEL})*")
_NAME = re.compile("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LONGEST_LABEL = 63
_LONGEST_NAME = 253
_MOST_ANNOTATION_BYTES = 256 * 1024


def problems(metadata: Any) -> Iterator[SchemaProblem]:
    """Yields what is wrong with ``metadata``."""
    if not isinstance(metadata, dict):
        if metadata is not None:
            yield _of_type((), "object", metadata)
            return
        metadata = {}
    for key, value in metadata.items():
        wanted = _FIELDS.get(key)
        if wanted is None:
            near = nearest(str(key), _FIELDS)
            fix = f"Did you mean {near}?" if near else "Remove it."
            message = f'unknown field "metadata.{key}"'
            yield SchemaProblem(("metadata", key), "Unknown", message, fix)
        elif value is not None and type_name(value) != wanted:
            yield _of_type((key,), wanted, value)
    yield from _of_names(metadata)
    yield from _of_labels(metadata.get("labels"))
    yield from _of_annotations(metadata.get("annotations"))


def _of_type(steps: tuple[str, ...], wanted: str, value: Any) -> SchemaProblem:
    message = f"must be of type {wanted}: it is of type {type_name(value)}"
    fix = "Write it in quotes." if wanted == "string" else ""
    return SchemaProblem(("metadata", *steps), "Value", message, fix, blocks=True)


def _of_names(metadata: dict[str, Any]) -> Iterator[SchemaProblem]:
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is None and not metadata.get("generateName"):
        message = "Required value: name or generateName is required"
        yield SchemaProblem(("metadata", "name"), "Required", message, blocks=True)
    if isinstance(name, str) and (len(name) > _LONGEST_NAME or not _SUBDOMAIN.fullmatch(name)):
        message = (
            f"Invalid value: {shown(name)}: must be a DNS name in lower case, such as users"
            " (lower case RFC 1123 subdomain)"
        )
        yield SchemaProblem(("metadata", "name"), "Value", message)
    if isinstance(namespace, str) and not (
        len(namespace) <= _LONGEST_LABEL and re.fullmatch(_LABEL, namespace)
    ):
        message = f"Invalid value: {shown(namespace)}: must be a DNS label in lower case"
        yield SchemaProblem(("metadata", "namespace"), "Value", message)


def _of_labels(labels: Any) -> Iterator[SchemaProblem]:
    for key, value in labels.items() if isinstance(labels, dict) else ():
        yield from _of_key("labels", key)
        if not isinstance(value, str):
            yield _of_type(("labels", key), "string", value)
        elif value and not (len(value) <= _LONGEST_LABEL and _NAME.fullmatch(value)):
            message = (
                f"Invalid value: {shown(value)}: must have at most {_LONGEST_LABEL} letters,"
                " digits, - _ or ., and begin and end with a letter or digit"
            )
            yield SchemaProblem(("metadata", "labels", key), "Value", message)


def _of_annotations(annotations: Any) -> Iterator[SchemaProblem]:
    size = 0
    for key, value in annotations.items() if isinstance(annotations, dict) else ():
        yield from _of_key("annotations", str(key).lower())
        if isinstance(value, str):
            size += len(str(key).encode()) + len(value.encode())
        else:
            yield _of_type(("annotations", key), "string", value)
    if size > _MOST_ANNOTATION_BYTES:
        message = f"Too long: may not be more than {_MOST_ANNOTATION_BYTES} bytes in total"
        yield SchemaProblem(("metadata", "annotations"), "Value", message)


def _of_key(field: str, key: Any) -> Iterator[SchemaProblem]:
    """Yields that a key is no qualified name, if so."""
    prefix, slash, name = str(key).rpartition("/")
    valid = len(name) <= _LONGEST_LABEL and _NAME.fullmatch(name)
    if slash:
        valid = valid and len(prefix) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(prefix)
    if not valid:
        message = f"Invalid value: {shown(key)}: must be a name such as team or example.com/team"
        yield SchemaProblem(("metadata", field, key), "Value", message)
