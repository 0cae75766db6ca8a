"""Many services that do not conflict: the user service under other packages and paths."""

from functools import cache

from google.protobuf import text_format
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from bench.messages import Target
from user.v1 import user_pb2


def target(number: int, host: str) -> Target:
    """Returns where service ``number`` is found at a host."""
    return Target(f"user{number}.v1.UserService", f"/v1/users{number}", host)


def original() -> bytes:
    """Returns the FileDescriptorSet of the user service."""
    return _set(text_format.MessageToString(_proto(user_pb2.DESCRIPTOR)))


def descriptor(number: int) -> bytes:
    """Returns the FileDescriptorSet of service ``number``, as ``target`` says."""
    text = text_format.MessageToString(_proto(user_pb2.DESCRIPTOR))
    text = text.replace("user.v1", f"user{number}.v1").replace("/v1/users", f"/v1/users{number}")
    return _set(text.replace('"user/v1', f'"user{number}/v1'))


def _set(text: str) -> bytes:
    file = text_format.Parse(text, FileDescriptorProto())
    return FileDescriptorSet(file=[*_imports(), file]).SerializeToString()


@cache
def _imports() -> tuple[FileDescriptorProto, ...]:
    found: dict[str, FileDescriptorProto] = {}
    _collect(user_pb2.DESCRIPTOR, found)
    del found[user_pb2.DESCRIPTOR.name]
    return tuple(found.values())


def _collect(file: FileDescriptor, found: dict[str, FileDescriptorProto]) -> None:
    for needed in file.dependencies:
        _collect(needed, found)
    found.setdefault(file.name, _proto(file))


def _proto(file: FileDescriptor) -> FileDescriptorProto:
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    return proto
