"""A request for each REST binding of a method, with values that its fields take."""

import json
import re
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from grpc_operator.descriptor.model import Binding

_VARIABLE = re.compile(r"\{([^}=]+)(?:=([^}]+))?\}")
_TEXT = "x"
_WELL_KNOWN = {
    "google.protobuf.Timestamp": "2026-01-01T00:00:00Z",
    "google.protobuf.Duration": "1s",
    "google.protobuf.BoolValue": "true",
    "google.protobuf.StringValue": _TEXT,
    "google.protobuf.BytesValue": "eHh4",
    "google.protobuf.FieldMask": _TEXT,
}
"""JSON of well-known types that is text; that of the others is a number."""


@dataclass(frozen=True)
class Request:
    """A request, and the path of the gRPC method that it must reach."""

    verb: str
    path: str
    body: str | None
    method: str


def request(binding: Binding, method: MethodDescriptor) -> Request:
    """Returns a request for a binding."""

    def value(match: re.Match[str]) -> str:
        if match[2] not in {None, "*"}:
            return match[2]
        return _value(method.input_type, match[1])

    body = _body(binding, method.input_type)
    path = _VARIABLE.sub(value, binding.template)
    return Request(
        verb="GET" if binding.verb == "*" else binding.verb,
        path=path.replace("**", f"{_TEXT}/{_TEXT}").replace("*", _TEXT),
        body=f"[{body}]" if body and method.client_streaming else body,
        method=f"/{method.containing_service.full_name}/{method.name}",
    )


def _value(message: Descriptor, path: str) -> str:
    """Returns text for a field: an enum's name, a number, or something else that it takes."""
    *outer, leaf = path.split(".")
    for name in outer:
        inner = message.fields_by_name[name].message_type
        assert inner is not None
        message = inner
    field = message.fields_by_name[leaf]
    if field.enum_type is not None:
        return str(field.enum_type.values[-1].name)
    if field.message_type is not None:
        return _WELL_KNOWN.get(field.message_type.full_name, "1")
    of_type = {
        FieldDescriptor.TYPE_BYTES: "eHh4",
        FieldDescriptor.TYPE_STRING: _TEXT,
        FieldDescriptor.TYPE_BOOL: "true",
    }
    return of_type.get(field.type, "1")


def _body(binding: Binding, message: Descriptor) -> str | None:
    if not binding.body:
        return None
    if binding.body == "*" or binding.raw_body:
        return "{}"
    field = message.fields_by_name[binding.body]
    of_message = field.message_type
    if field.is_repeated:
        return "{}" if of_message is not None and of_message.GetOptions().map_entry else "[]"
    if of_message is not None and of_message.full_name not in _WELL_KNOWN:
        return "{}"
    return json.dumps(_value(message, binding.body))
