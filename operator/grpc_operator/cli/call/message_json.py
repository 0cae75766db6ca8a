"""Messages as JSON, in every case that a server may answer with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, message_factory, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message

_UNKNOWN = "#unknown/google.protobuf.BytesValue"
_ANY = "google.protobuf.Any"
_DEEPEST = 100
_CONTROL = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal acts on and ``json`` does not escape."""


@dataclass(frozen=True)
class Printing:
    """How messages are printed.

    Attributes:
        defaults: Whether fields without presence are printed with their default values.
        proto_names: Whether fields are named as in the .proto file.
        int64_numbers: Whether integers of 64 bits are numbers; strings otherwise, as many programs
            read numbers as doubles.
    """

    defaults: bool = False
    proto_names: bool = False
    int64_numbers: bool = False


def plain(message: Message, printing: Printing, pool: DescriptorPool) -> Any:
    """Returns the JSON of a message; of an Any of unknown type, its bytes as base64.

    Args:
        message: The message.
        printing: How.
        pool: Has its types, those that an Any may hold, and ``google.protobuf.BytesValue``.
    """
    copy = type(message)()
    copy.CopyFrom(message)
    _mark_unknown(copy, pool, 0)
    value = json_format.MessageToDict(
        copy,
        preserving_proto_field_name=printing.proto_names,
        always_print_fields_with_no_presence=printing.defaults,
        descriptor_pool=pool,
    )
    value = _unmarked(value)
    return _numbers(value, message.DESCRIPTOR) if printing.int64_numbers else value


def text(value: Any) -> str:
    """Returns JSON on one line, without what a terminal would act on."""
    dumped = json.dumps(value, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped)


def _mark_unknown(message: Any, pool: DescriptorPool, depth: int) -> None:
    """Makes each Any of unknown type one of bytes, which has a JSON."""
    if depth > _DEEPEST:
        return
    if message.DESCRIPTOR.full_name == _ANY:
        _mark_any(message, pool, depth)
        return
    for field, value in message.ListFields():
        for each in _messages(field, value):
            _mark_unknown(each, pool, depth + 1)


def _messages(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is None:
        return ()
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"].message_type
        return value.values() if inner is not None else ()
    return value if field.is_repeated else (value,)


def _mark_any(packed: Any, pool: DescriptorPool, depth: int) -> None:
    if not packed.type_url:
        return
    try:
        kind = pool.FindMessageTypeByName(packed.type_url.rpartition("/")[2])
        inner = message_factory.GetMessageClass(kind).FromString(packed.value)
    except (KeyError, DecodeError):
        packed.value = wrappers_pb2.BytesValue(value=packed.value).SerializeToString()
        packed.type_url += _UNKNOWN
        return
    _mark_unknown(inner, pool, depth + 1)
    packed.value = inner.SerializeToString()


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(each) for each in value]
    if isinstance(value, Mapping):
        return {
            key: each.removesuffix(_UNKNOWN) if key == "@type" else _unmarked(each)
            for key, each in value.items()
        }
    return value


_INT64 = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}
_INT64_WRAPPERS = {"google.protobuf.Int64Value", "google.protobuf.UInt64Value"}


def _numbers(value: Any, kind: Any) -> Any:
    """Returns a message with 64-bit integers as numbers."""
    if kind.full_name in _INT64_WRAPPERS:
        return int(value)
    if not isinstance(value, dict) or kind.full_name == _ANY:
        return value
    names = {each.json_name: each for each in kind.fields} | dict(kind.fields_by_name)
    return {
        key: _field_numbers(each, names[key]) if key in names else each
        for key, each in value.items()
    }


def _field_numbers(value: Any, field: Any) -> Any:
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        return {key: _field_numbers(each, inner) for key, each in value.items()}
    if isinstance(value, list) and field.is_repeated:
        return [_single(each, field) for each in value]
    return _single(value, field)


def _single(value: Any, field: Any) -> Any:
    if field.type in _INT64 and isinstance(value, str):
        return int(value)
    return _numbers(value, field.message_type) if field.message_type is not None else value
