"""Changes of the fields of a file, in place. What protobuf does not load is tried again."""

from collections.abc import Callable
from random import Random

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

F = FieldDescriptorProto
Mutation = Callable[[FileDescriptorProto, Random], None]

SCALARS = [
    each for each in F.Type.values() if each not in {F.TYPE_GROUP, F.TYPE_MESSAGE, F.TYPE_ENUM}
]


def any_message(file: FileDescriptorProto, rng: Random) -> DescriptorProto:
    """Returns a message that may change."""
    return rng.choice([each for each in file.message_type if each.name.startswith("M")])


def any_field(file: FileDescriptorProto, rng: Random) -> tuple[DescriptorProto, F]:
    """Returns a field with its message."""
    message = any_message(file, rng)
    return message, rng.choice(message.field)


def field_deleted(file: FileDescriptorProto, rng: Random) -> None:
    """With or without reserving number and name."""
    message, field = any_field(file, rng)
    number, name = field.number, field.name
    index = next(i for i, each in enumerate(message.field) if each.number == number)
    del message.field[index]
    if rng.random() < 0.5:
        message.reserved_range.add(start=number, end=number + 1)
    if rng.random() < 0.5:
        message.reserved_name.append(name)


def field_added(file: FileDescriptorProto, rng: Random) -> None:
    """Also a required one."""
    field = any_message(file, rng).field.add(name="added", number=50, type=rng.choice(SCALARS))
    labels = [F.LABEL_OPTIONAL, F.LABEL_REPEATED]
    field.label = rng.choice([*labels, *[F.LABEL_REQUIRED] * 2 * (file.syntax == "proto2")])


def field_renamed(file: FileDescriptorProto, rng: Random) -> None:
    """With or without its JSON name."""
    _, field = any_field(file, rng)
    field.name += "_renamed"
    if rng.random() < 0.3:
        field.json_name = "renamed"


def field_renumbered(file: FileDescriptorProto, rng: Random) -> None:
    """To a free number."""
    any_field(file, rng)[1].number = rng.randrange(60, 70)


def field_type_changed(file: FileDescriptorProto, rng: Random) -> None:
    """To any scalar."""
    _, field = any_field(file, rng)
    field.ClearField("type_name")
    field.ClearField("default_value")
    field.type = rng.choice(SCALARS)


def similar_type(file: FileDescriptorProto, rng: Random) -> None:
    """To one that may be compatible."""
    groups = [
        [F.TYPE_INT32, F.TYPE_INT64, F.TYPE_UINT32, F.TYPE_UINT64, F.TYPE_BOOL],
        [F.TYPE_SINT32, F.TYPE_SINT64],
        [F.TYPE_FIXED32, F.TYPE_SFIXED32],
        [F.TYPE_FIXED64, F.TYPE_SFIXED64],
        [F.TYPE_STRING, F.TYPE_BYTES],
        [F.TYPE_FLOAT, F.TYPE_DOUBLE],
    ]
    _, field = any_field(file, rng)
    group = next((each for each in groups if field.type in each), None)
    if group is not None:
        field.type = rng.choice(group)


def field_reference_changed(file: FileDescriptorProto, rng: Random) -> None:
    """To a message or enum."""
    _, field = any_field(file, rng)
    name = rng.choice(["M0", "M1", "Shape", "Color"])
    field.ClearField("default_value")
    field.type = F.TYPE_MESSAGE if name.startswith("M") else F.TYPE_ENUM
    field.type_name = f".{file.package}.{name}"


def enum_replaced(file: FileDescriptorProto, rng: Random) -> None:
    """By another one, also of the same simple name."""
    own = (f".{file.package}.Color", f".{file.package}.Shape")
    for field in any_message(file, rng).field:
        if field.type == F.TYPE_ENUM:
            field.type_name = rng.choice([*own, ".twin.Scope.Color"])


def field_label_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Optional, required, repeated."""
    any_field(file, rng)[1].label = rng.choice(F.Label.values())


def optional_changed(file: FileDescriptorProto, rng: Random) -> None:
    """``optional`` of proto3."""
    message, field = any_field(file, rng)
    if file.syntax == "proto3" and not field.HasField("oneof_index"):
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{field.name}")


def oneof_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Into, out of, and between."""
    _, field = any_field(file, rng)
    index = rng.choice([None, 0, 1])
    if index is None:
        field.ClearField("oneof_index")
    else:
        field.oneof_index = index


def oneof_renamed(file: FileDescriptorProto, rng: Random) -> None:
    """With all its members."""
    rng.choice(any_message(file, rng).oneof_decl).name += "_renamed"


def json_name_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Also back to the one that follows from the name."""
    _, field = any_field(file, rng)
    if field.json_name:
        field.ClearField("json_name")
    else:
        field.json_name = "another"


def default_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Of any type that has one."""
    _, field = any_field(file, rng)
    if field.type == F.TYPE_ENUM:
        prefix = field.type_name.rpartition(".")[2].upper()
        field.default_value = f"{prefix}_{rng.randrange(4)}"
    elif field.type == F.TYPE_BOOL:
        field.default_value = rng.choice(["true", "false"])
    elif field.type == F.TYPE_STRING:
        field.default_value = rng.choice(["", "text", "\\001", "é"])
    elif field.type == F.TYPE_BYTES:
        field.default_value = rng.choice(["", "text", '\\001\\x41\\n\\"', "\\303\\251"])
    elif field.type in {F.TYPE_FLOAT, F.TYPE_DOUBLE}:
        field.default_value = rng.choice(["0", "-0", "0.1", "1e40", "inf", "-inf", "nan", "1"])
    else:
        field.default_value = rng.choice(["0", "1", "7"])


def default_and_type_changed(file: FileDescriptorProto, rng: Random) -> None:
    """The same text may be another value."""
    _, field = any_field(file, rng)
    if field.type in SCALARS and field.label == F.LABEL_OPTIONAL:
        field.type = rng.choice([F.TYPE_FLOAT, F.TYPE_DOUBLE, F.TYPE_INT32, F.TYPE_BOOL])
        is_bool = field.type == F.TYPE_BOOL
        field.default_value = rng.choice(["true", "false"] if is_bool else ["0", "1", "16777217"])


def map_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Its key or value."""
    for entry in any_message(file, rng).nested_type:
        if entry.options.map_entry:
            rng.choice(entry.field).type = rng.choice(SCALARS)


def map_becomes_list(file: FileDescriptorProto, rng: Random) -> None:
    """Of its entries: the same bytes, another JSON."""
    message = any_message(file, rng)
    for entry in message.nested_type:
        entry.ClearField("options")


FIELD_MUTATIONS: list[Mutation] = [
    each
    for name, each in list(globals().items())
    if getattr(each, "__module__", "") == __name__ and not name.startswith("any_")
]
