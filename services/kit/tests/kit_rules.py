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


def string_rules(**rules: Any) -> bytes:
    """Return `[(buf.validate.field).string = {...}]`; `uuid=True` is one of `well_known`."""
    if rules.pop("uuid", False):
        rules["well_known"] = Oneof("uuid", True)
    kind: Any = Oneof("string", validate_pb.StringRules(**rules))
    return validate_pb.FieldRules(type=kind).to_binary()


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
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        )
        field.options.MergeFromString(_tag(_EXTENSION) + bytes([len(rules)]) + rules)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _add_validate_proto(pool: descriptor_pool.DescriptorPool) -> None:
    """Add the file that protovalidate brings along in another library's form."""
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 nowhere else


def _tag(number: int) -> bytes:
    """Return the tag of a field with a length, a varint of two bytes."""
    tag = number << 3 | 2
    return bytes([tag & 127 | 128, tag >> 7])
