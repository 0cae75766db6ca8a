"""Fields that both sets have under one number of one message."""

from collections.abc import Iterator
from functools import cached_property

from google.protobuf.descriptor_pb2 import FeatureSet, FieldDescriptorProto

from grpc_operator.descriptor.compat import defaults
from grpc_operator.descriptor.compat.breaking import Breaking, Use, changed
from grpc_operator.descriptor.compat.schema import Enum, Message, Schema
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.options import json_name

_Field = FieldDescriptorProto

_FIXED: dict[int, int] = {
    _Field.TYPE_FIXED32: 3,
    _Field.TYPE_SFIXED32: 3,
    _Field.TYPE_FIXED64: 4,
    _Field.TYPE_SFIXED64: 4,
}
_WIRE: dict[int, int] = {
    _Field.TYPE_INT32: 1,
    _Field.TYPE_INT64: 1,
    _Field.TYPE_UINT32: 1,
    _Field.TYPE_UINT64: 1,
    _Field.TYPE_BOOL: 1,
    _Field.TYPE_SINT32: 2,
    _Field.TYPE_SINT64: 2,
    **_FIXED,
}
_WIRE_JSON: dict[int, int] = {
    _Field.TYPE_INT32: 1,
    _Field.TYPE_UINT32: 1,
    _Field.TYPE_INT64: 2,
    _Field.TYPE_UINT64: 2,
    **_FIXED,
}
"""Types that are written alike, by group; every other type is written like itself alone."""

_REFERENCES = frozenset({_Field.TYPE_ENUM, _Field.TYPE_GROUP, _Field.TYPE_MESSAGE})


class Fields:
    """The fields of two sets.

    Args:
        old: What callers know.
        new: What the server has.
        json: Whether they may send and read JSON.
    """

    def __init__(self, old: Schema, new: Schema, *, json: bool) -> None:
        self._old = old
        self._new = new
        self._json = json
        self._named = "WIRE_JSON" if json else "WIRE"
        self._subsets: dict[tuple[str, str], bool] = {}

    @cached_property
    def enums_are_equal(self) -> bool:
        """Whether no enum gives a field another default than before."""
        return all(
            name not in self._new.enums
            or [(each.name, each.number) for each in enum.proto.value]
            == [(each.name, each.number) for each in self._new.enums[name].proto.value]
            for name, enum in self._old.enums.items()
        )

    def breaking(
        self, message: Message, old: _Field, other: Message, new: _Field
    ) -> Iterator[Breaking]:
        """Yields what breaks callers that send or read a field.

        Args:
            message: The message that callers know.
            old: Its field.
            other: The same message of the server.
            new: Its field of the same number.
        """
        element = f"{message.name}.{old.name}"
        use = self._old.use(message.name)
        if self._json:
            yield from _names(element, old, new, use)
        yield from self._type(element, (message, old), (other, new), use)
        yield from self._cardinality(element, (message, old), (other, new), use)
        yield from _oneof(element, (message, old), (other, new), use)
        yield from self._default(element, old, new, use)

    def _type(
        self, element: str, old: tuple[Message, _Field], new: tuple[Message, _Field], use: Use
    ) -> Iterator[Breaking]:
        before, after = _kind(self._old, *old), _kind(self._new, *new)
        if not self._is_compatible(before, after) or (
            after in _REFERENCES and not self._is_same_type(old[1], new[1])
        ):
            what = f"the type changed from {_shown(before, old[1])} to {_shown(after, new[1])}"
            yield changed(f"FIELD_{self._named}_COMPATIBLE_TYPE", element, what, use)

    def _is_compatible(self, old: int, new: int) -> bool:
        if not self._json and (old, new) == (_Field.TYPE_STRING, _Field.TYPE_BYTES):
            return True
        groups = _WIRE_JSON if self._json else _WIRE
        return old == new or (old in groups and groups[old] == groups.get(new))

    def _is_same_type(self, old: _Field, new: _Field) -> bool:
        if old.type_name == new.type_name:
            return True
        if new.type != _Field.TYPE_ENUM:
            return False
        return self._is_subset(
            self._old.enums[old.type_name[1:]], self._new.enums[new.type_name[1:]]
        )

    def _is_subset(self, old: Enum, new: Enum) -> bool:
        """Returns whether an enum of the same simple name has all values of another one."""
        if old.proto.name != new.proto.name or len(old.numbers) > len(new.numbers):
            return False
        pair = old.name, new.name
        if pair not in self._subsets:
            self._subsets[pair] = old.numbers.items() <= new.numbers.items()
        return self._subsets[pair]

    def _cardinality(
        self, element: str, old: tuple[Message, _Field], new: tuple[Message, _Field], use: Use
    ) -> Iterator[Breaking]:
        if old[0].proto.options.map_entry and new[0].proto.options.map_entry:
            return
        before, after = _cardinality(self._old, *old), _cardinality(self._new, *new)
        are_lists = not self._json and {before, after} == {"repeated", "a map"}
        if before != after and not are_lists:
            what = f"changed from {before} to {after}"
            yield changed(f"FIELD_{self._named}_COMPATIBLE_CARDINALITY", element, what, use)

    def _default(self, element: str, old: _Field, new: _Field, use: Use) -> Iterator[Breaking]:
        both = defaults.have_changed(old, self._old, new, self._new)
        if both is not None:
            what = f"the default changed from {both[0]} to {both[1]}"
            yield changed("FIELD_SAME_DEFAULT", element, what, use)


def _names(element: str, old: _Field, new: _Field, use: Use) -> Iterator[Breaking]:
    if old.name != new.name:
        what = f"field {old.number} was renamed to {new.name}"
        yield changed("FIELD_SAME_NAME", element, what, use)
    before, after = (each.json_name or json_name(each.name) for each in (old, new))
    if before != after:
        what = f"the JSON name changed from {shown(before)} to {shown(after)}"
        yield changed("FIELD_SAME_JSON_NAME", element, what, use)


def _oneof(
    element: str, old: tuple[Message, _Field], new: tuple[Message, _Field], use: Use
) -> Iterator[Breaking]:
    before, after = _oneof_name(*old), _oneof_name(*new)
    if before != after:
        what = f"moved from {before or 'no oneof'} to {after or 'no oneof'}"
        yield changed("FIELD_SAME_ONEOF", element, what, use)


def _oneof_name(message: Message, field: _Field) -> str:
    if not field.HasField("oneof_index") or field.proto3_optional:
        return ""
    return f"the oneof {message.proto.oneof_decl[field.oneof_index].name}"


def _kind(schema: Schema, message: Message, field: _Field) -> int:
    """Returns the type of a field; a DELIMITED message of an edition is a group."""
    if field.type != _Field.TYPE_MESSAGE:
        return field.type
    encoding = message.features.merged(field.options).message_encoding
    in_map = message.proto.options.map_entry or schema.is_map(field)
    is_group = encoding == FeatureSet.DELIMITED and not in_map
    return _Field.TYPE_GROUP if is_group else _Field.TYPE_MESSAGE


def _cardinality(schema: Schema, message: Message, field: _Field) -> str:
    if field.label == _Field.LABEL_REPEATED:
        return "a map" if schema.is_map(field) else "repeated"
    presence = message.features.merged(field.options).field_presence
    is_required = presence == FeatureSet.LEGACY_REQUIRED or field.label == _Field.LABEL_REQUIRED
    return "required" if is_required else "singular"


def _shown(kind: int, field: _Field) -> str:
    name = _Field.Type.Name(kind).removeprefix("TYPE_").lower()  # type: ignore[arg-type]
    if kind in _REFERENCES:
        return f"{name} {field.type_name[1:]}"
    return name
