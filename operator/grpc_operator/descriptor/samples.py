"""Requests that a method takes, for the example commands: what has to be set, and nothing else."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    MethodDescriptorProto,
)

from grpc_operator.descriptor.model import Binding, Sample
from grpc_operator.descriptor.symbols import Symbols

_LONGEST = 512
"""Characters of a sample; a method that needs more has an empty one."""

_DEEPEST = 4
_VARIABLE = re.compile(r"\{([^=}]+)(?:=([^}]*))?\}")
_ID = re.compile(r"(^|_)(uu)?id$")
_UUID = "00000000-0000-4000-8000-000000000000"
_WELL_KNOWN: Mapping[str, tuple[Any, bytes]] = {
    ".google.protobuf.Timestamp": ("2026-01-01T00:00:00Z", b"\x08\x80\xf2\xd6\xca\x06"),
    ".google.protobuf.Duration": ("1s", b"\x08\x01"),
}
"""JSON and wire format of messages whose JSON is no object (proto3 JSON mapping)."""

_F = FieldDescriptorProto
_SCALARS: Mapping[int, tuple[Any, int, bytes]] = {
    _F.TYPE_BYTES: ("AA==", 2, b"\x01\0"),
    _F.TYPE_BOOL: (True, 0, b"\x01"),
    _F.TYPE_DOUBLE: (1, 1, bytes(6) + b"\xf0\x3f"),
    _F.TYPE_FLOAT: (1, 5, b"\0\0\x80\x3f"),
    **dict.fromkeys((_F.TYPE_FIXED64, _F.TYPE_SFIXED64), (1, 1, b"\x01" + bytes(7))),
    **dict.fromkeys((_F.TYPE_FIXED32, _F.TYPE_SFIXED32), (1, 5, b"\x01" + bytes(3))),
    **dict.fromkeys((_F.TYPE_SINT32, _F.TYPE_SINT64), (1, 0, b"\x02")),
}
"""Value, wire type and bytes by type of field (protobuf.dev, Encoding); others are varints."""


def sample(method: MethodDescriptorProto, bindings: Iterable[Binding], symbols: Symbols) -> Sample:
    """Returns a request of a method.

    It has the fields that the path of its first REST binding has, those that are required
    (google.api.field_behavior, proto2), and messages around them.
    """
    binding = next(iter(bindings), None)
    in_path = dict(_VARIABLE.findall(binding.template)) if binding is not None else {}
    message = symbols.named.get(method.input_type.lstrip("."))
    if message is None or not isinstance(message.proto, DescriptorProto):
        return Sample()
    value, wire = _Message(symbols, in_path).of(message.proto, "", 0)
    text = json.dumps(value)
    return Sample(text, wire) if value and len(text) <= _LONGEST else Sample()


@dataclass(frozen=True)
class _Message:
    """Makes messages.

    Attributes:
        in_path: The patterns of path variables by their field paths; empty for any one segment.
    """

    symbols: Symbols
    in_path: Mapping[str, str]

    def of(self, proto: DescriptorProto, path: str, depth: int) -> tuple[dict[str, Any], bytes]:
        """Returns a message, as JSON and in wire format."""
        found: dict[str, Any] = {}
        parts = []
        for field in sorted(proto.field, key=lambda field: field.number):
            where = f"{path}{field.name}"
            if self._is_needed(field, where) and depth < _DEEPEST:
                value, wire_type, wire = self._value(field, where, depth)
                repeated = field.label == _F.LABEL_REPEATED
                found[field.name] = [value] if repeated else value
                parts.append(_varint(field.number << 3 | wire_type) + wire)
        return found, b"".join(parts)

    def _is_needed(self, field: FieldDescriptorProto, where: str) -> bool:
        symbol = self.symbols.named.get(field.type_name.lstrip("."))
        if symbol is not None and getattr(symbol.proto.options, "map_entry", False):
            return False
        behavior = field.options.Extensions[field_behavior_pb2.field_behavior]
        required = field.label == _F.LABEL_REQUIRED or field_behavior_pb2.REQUIRED in behavior
        return required or any(f"{each}.".startswith(f"{where}.") for each in self.in_path)

    def _value(self, field: FieldDescriptorProto, where: str, depth: int) -> tuple[Any, int, bytes]:
        """Returns a value, its wire type, and its bytes (protobuf.dev, Encoding)."""
        if field.type in {_F.TYPE_MESSAGE, _F.TYPE_GROUP}:
            return self._nested(field, where, depth)
        if field.type == _F.TYPE_ENUM:
            return self._enum(field)
        if field.type == _F.TYPE_STRING:
            text = self._text(field.name, where)
            return text, 2, _sized(text.encode())
        return _SCALARS.get(field.type, (1, 0, b"\x01"))

    def _nested(
        self, field: FieldDescriptorProto, where: str, depth: int
    ) -> tuple[Any, int, bytes]:
        value, wire = _WELL_KNOWN.get(field.type_name, ({}, b""))
        symbol = self.symbols.named.get(field.type_name.lstrip("."))
        if not wire and symbol is not None and isinstance(symbol.proto, DescriptorProto):
            value, wire = self.of(symbol.proto, f"{where}.", depth + 1)
        if field.type == _F.TYPE_GROUP:
            return value, 3, wire + _varint(field.number << 3 | 4)
        return value, 2, _sized(wire)

    def _text(self, name: str, where: str) -> str:
        pattern = self.in_path.get(where, "")
        if pattern not in {"", "*", "**"}:
            return re.sub(r"\*+", "1", pattern)
        return _UUID if _ID.search(name) else "example"

    def _enum(self, field: FieldDescriptorProto) -> tuple[Any, int, bytes]:
        symbol = self.symbols.named.get(field.type_name.lstrip("."))
        if symbol is not None and isinstance(symbol.proto, EnumDescriptorProto):
            for each in symbol.proto.value:
                if each.number > 0:
                    return each.name, 0, _varint(each.number)
        return 0, 0, b"\0"


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
