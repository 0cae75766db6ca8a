"""The value that a field has where a message does not set it, compared as ``buf breaking`` does."""

import re
import struct
from math import inf, isnan
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from grpc_operator.descriptor.compat.schema import Schema
from grpc_operator.descriptor.descriptor_error import shown

_Field = FieldDescriptorProto

_MESSAGES = (_Field.TYPE_MESSAGE, _Field.TYPE_GROUP)
_FLOATS = (_Field.TYPE_FLOAT, _Field.TYPE_DOUBLE)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|.)", re.DOTALL)
_ESCAPED = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11}


class Default(NamedTuple):
    """The default of a field.

    Attributes:
        value: Bytes for texts, too. A bool is 0 or 1, an enum its number.
        type: Of the field (``FieldDescriptorProto.Type``).
    """

    value: bytes | int | float
    type: int

    def __str__(self) -> str:
        """Returns it for messages."""
        return shown(repr(self.value)) if isinstance(self.value, bytes) else f"{self.value}"


def have_changed(old: _Field, before: Schema, new: _Field, after: Schema) -> tuple[str, str] | None:
    """Returns both defaults if they differ and both fields can have one."""
    has_one = old.default_value or new.default_value or _Field.TYPE_ENUM in (old.type, new.type)
    if not has_one or _cannot_have_one(old) or _cannot_have_one(new):
        return None
    was, is_ = _default(old, before), _default(new, after)
    return None if _are_equal(was, is_) else (f"{was}", f"{is_}")


def _cannot_have_one(field: _Field) -> bool:
    return field.label == _Field.LABEL_REPEATED or field.type in _MESSAGES


def _default(field: _Field, schema: Schema) -> Default:
    text = field.default_value
    if field.type == _Field.TYPE_ENUM:
        enum = schema.enums.get(field.type_name[1:])
        first = enum.proto.value[0].number if enum and enum.proto.value else 0
        return Default(enum.numbers.get(text, first) if enum else 0, field.type)
    if field.type == _Field.TYPE_STRING:
        return Default(text.encode(), field.type)
    if field.type == _Field.TYPE_BYTES:
        return Default(_ESCAPE.sub(_unescaped, text.encode()), field.type)
    if field.type == _Field.TYPE_BOOL:
        return Default(int(text == "true"), field.type)
    return Default(_number(text, field.type), field.type)


def _unescaped(match: re.Match[bytes]) -> bytes:
    text = match.group(1)
    if text[:1] in b"xX" and len(text) > 1:
        return bytes([int(text[1:], 16)])
    if text.isdigit():
        return bytes([int(text, 8) & 0xFF])
    return bytes([_ESCAPED[text]]) if text in _ESCAPED else text


def _number(text: str, type_: int) -> int | float:
    """Returns a number; protobuf has checked the text."""
    try:
        value = float(text or 0) if type_ in _FLOATS else int(text or 0)
    except ValueError:
        return 0
    return _single(value) if type_ == _Field.TYPE_FLOAT else value


def _single(value: float) -> float:
    """Returns the nearest number of single precision."""
    try:
        (nearest,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return inf if value > 0 else -inf
    return float(nearest)


def _are_equal(old: Default, new: Default) -> bool:
    """Returns whether the values are equal, whatever the types."""
    before, after = old.value, new.value
    if isinstance(before, bytes) or isinstance(after, bytes):
        return before == after or not (before or after)
    if {old.type, new.type} == set(_FLOATS):
        before, after = _single(before), _single(after)
    return before == after or (isnan(before) and isnan(after))
