"""Messages, with what they reserve."""

from collections.abc import Collection, Iterator

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from grpc_operator.descriptor.compat.breaking import Breaking, Use, changed, removed
from grpc_operator.descriptor.compat.features import lost_json
from grpc_operator.descriptor.compat.fields import Fields
from grpc_operator.descriptor.compat.ranges import Range, Ranges, missing
from grpc_operator.descriptor.compat.schema import Message, Schema

_REQUIRED = FieldDescriptorProto.LABEL_REQUIRED


def breaking(old: Schema, new: Schema, *, json: bool) -> Iterator[Breaking]:
    """Yields what breaks callers that send or read messages, by name.

    Args:
        old: What callers know.
        new: What the server has.
        json: Whether they may send and read JSON.
    """
    fields = Fields(old, new, json=json)
    for name, message in sorted(old.messages.items()):
        other = new.messages.get(name)
        if other is None or old.is_scope(message) or new.is_scope(other):
            continue
        if fields.enums_are_equal and _is_equal(message, other):
            continue
        yield from _of_pair(message, other, old.use(name), json=json)
        for number, each in message.fields.items():
            if number in other.fields:
                yield from fields.breaking(message, each, other, other.fields[number])


def _is_equal(old: Message, new: Message) -> bool:
    return old.features == new.features and old.proto == new.proto


def _of_pair(old: Message, new: Message, use: Use, *, json: bool) -> Iterator[Breaking]:
    yield from _deleted_fields(old, new, use, json=json)
    yield from _required_fields(old, new, use)
    gone = missing(_reserved(old), _reserved(new))
    if gone:
        what = f"no longer reserves {gone}"
        yield changed("RESERVED_MESSAGE_NO_DELETE", old.name, what, use)
    if json and lost_json(old.features, new.features):
        what = "features.json_format is no longer ALLOW"
        yield changed("MESSAGE_SAME_JSON_FORMAT", old.name, what, use)


def _deleted_fields(old: Message, new: Message, use: Use, *, json: bool) -> Iterator[Breaking]:
    gone = [each for number, each in old.fields.items() if number not in new.fields]
    if not gone:
        return
    numbers, names = _reserved(new)
    ranges, reserved = Ranges(numbers), set(names)
    for each in gone:
        element = f"{old.name}.{each.name}"
        if each.number not in ranges:
            what = f"field {each.number} was removed without reserving its number"
            yield removed("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", element, what, use)
        if json and each.name not in reserved:
            what = f"field {each.number} was removed without reserving its name"
            yield removed("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", element, what, use)


def _required_fields(old: Message, new: Message, use: Use) -> Iterator[Breaking]:
    """Yields required fields that only one side has: protobuf parses no message without them."""
    before, after = _required(old), _required(new)
    for message, numbers, what in (
        (old, before - after, "is no longer required"),
        (new, after - before, "is required now"),
    ):
        for number in sorted(numbers):
            element = f"{message.name}.{message.fields[number].name}"
            text = f"field {number} {what}"
            yield changed("MESSAGE_SAME_REQUIRED_FIELDS", element, text, use)


def _required(message: Message) -> set[int]:
    return {each.number for each in message.proto.field if each.label == _REQUIRED}


def _reserved(message: Message) -> tuple[list[Range], Collection[str]]:
    """Returns reserved numbers and names; the end of a range is exclusive."""
    ranges = [(each.start, each.end - 1) for each in message.proto.reserved_range]
    return ranges, message.proto.reserved_name
