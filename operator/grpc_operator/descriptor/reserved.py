"""Reserved names and numbers: only comparisons of two sets need them (``compat``), not Envoy."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from grpc_operator.descriptor.files import write

_Types = DescriptorProto | EnumDescriptorProto


def has_reserved(files: Iterable[FileDescriptorProto]) -> bool:
    """Returns whether a message or enum of some files reserves names or numbers."""
    return any(
        each.reserved_range or each.reserved_name
        for file in files
        for each in _all(file.message_type, file.enum_type)
    )


def without_reserved(data: bytes) -> bytes:
    """Returns a checked FileDescriptorSet without reserved names and numbers."""
    parsed = FileDescriptorSet.FromString(data)
    for file in parsed.file:
        for each in _all(file.message_type, file.enum_type):
            each.ClearField("reserved_range")
            each.ClearField("reserved_name")
    return write(parsed.file)


def _all(
    messages: Iterable[DescriptorProto], enums: Iterable[EnumDescriptorProto]
) -> Iterator[_Types]:
    yield from enums
    for message in messages:
        yield message
        yield from _all(message.nested_type, message.enum_type)
