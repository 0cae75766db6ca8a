"""Message types with protovalidate rules, made from descriptors instead of from a .proto file."""

from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    message_factory,
    timestamp_pb2,
)
from protobuf import Oneof
from protovalidate._gen.buf.validate import validate_pb

_EXTENSION = 1159
"""Number of `(buf.validate.field)`."""
_OPTIONAL = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
_REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
_MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING


def string_rules(**rules: Any) -> bytes:
    """Return `[(buf.validate.field).string = {...}]`; `uuid=True` is one of `well_known`."""
    if rules.pop("uuid", False):
        rules["well_known"] = Oneof("uuid", True)
    kind: Any = Oneof("string", validate_pb.StringRules(**rules))
    return validate_pb.FieldRules(type=kind).to_binary()


def cel_rules(*expressions: str) -> bytes:
    """Return `[(buf.validate.field).cel = {...}]` with the ids `rule-0`, `rule-1` ..."""
    rules = [
        validate_pb.Rule(id=f"rule-{number}", message="is wrong", expression=expression)
        for number, expression in enumerate(expressions)
    ]
    return validate_pb.FieldRules(cel=rules).to_binary()


def containing(name: str, inner: Any, place: str) -> Any:
    """Return a message class whose field `inner` holds messages of another one.

    Args:
        name: Full name; each once in a process.
        inner: The class of the other one.
        place: `field`, `list`, `map` or `oneof`.
    """
    pool, package = descriptor_pool.Default(), name.rpartition(".")[0]
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto",
        package=package,
        syntax="proto3",
        dependency=[inner.DESCRIPTOR.file.name],
    )
    message = file.message_type.add(name=name.rpartition(".")[2])
    field = message.field.add(name="inner", number=1, type=_MESSAGE, label=_OPTIONAL)
    field.type_name = f".{inner.DESCRIPTOR.full_name}"
    if place in {"list", "map"}:
        field.label = _REPEATED
    if place == "oneof":
        message.oneof_decl.add(name="either")
        field.oneof_index = 0
    if place == "map":
        entry = message.nested_type.add(name="InnerEntry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_STRING, label=_OPTIONAL)
        value = entry.field.add(name="value", number=2, type=_MESSAGE, label=_OPTIONAL)
        value.type_name, field.type_name = field.type_name, f".{name}.InnerEntry"
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def message_type(name: str, fields: dict[str, bytes]) -> Any:
    """Return a message class with these string fields, which are numbered from 1.

    Args:
        name: Full name, such as `test.v1.Request`; each once in a process.
        fields: The rules of each field.
    """
    pool, package = descriptor_pool.Default(), name.rpartition(".")[0]
    _add_validate_proto(pool)
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package=package, dependency=["buf/validate/validate.proto"]
    )
    message = file.message_type.add(name=name.rpartition(".")[2])
    for number, (field_name, rules) in enumerate(fields.items(), 1):
        field = message.field.add(
            name=field_name,
            number=number,
            label=_OPTIONAL,
            type=_STRING,
        )
        field.options.MergeFromString(_tag(_EXTENSION) + _varint(len(rules)) + rules)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _add_validate_proto(pool: descriptor_pool.DescriptorPool) -> None:
    """Add the file that protovalidate brings along in another library's form."""
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 nowhere else


def _tag(number: int) -> bytes:
    """Return the tag of a field with a length."""
    return _varint(number << 3 | 2)


def _varint(number: int) -> bytes:
    """Return a number below 2**14."""
    return bytes([number & 127 | 128, number >> 7])
