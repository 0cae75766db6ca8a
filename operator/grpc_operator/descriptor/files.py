"""Bytes to FileDescriptorProtos by name, and back to bytes that do not depend on the input's
order.
"""

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import refuse, shown
from grpc_operator.descriptor.packing import unpacked

_HOW = "make it with protoc --include_imports --descriptor_set_out=FILE, or with buf build -o FILE"


def read(data: bytes) -> dict[str, FileDescriptorProto]:
    """Returns the files of a serialised FileDescriptorSet, also compressed with gzip, by name.

    Raises:
        DescriptorError: It does not parse, is too large, or has two versions of a file.
    """
    data = unpacked(data)
    _check_size(len(data))
    if not data:
        raise refuse(f"is empty; {_HOW}")
    try:
        parsed = FileDescriptorSet.FromString(data)
    except DecodeError as error:
        raise refuse(f"is not a serialised google.protobuf.FileDescriptorSet; {_HOW}") from error
    return by_name(parsed.file)


def merge_files(files: Iterable[bytes]) -> bytes:
    """Returns the serialised FileDescriptorSet of files, such as a reflection server sends.

    Args:
        files: Serialised FileDescriptorProtos in any order; equal ones count once.

    Raises:
        DescriptorError: One does not parse, there are two versions of a file, or too many.
    """
    parsed = []
    size = 0
    for data in files:
        size += len(data)
        _check_size(size)
        try:
            parsed.append(FileDescriptorProto.FromString(data))
        except DecodeError as error:
            raise refuse(
                f"file {len(parsed) + 1} is not a serialised google.protobuf.FileDescriptorProto"
            ) from error
    return write(by_name(parsed).values())


def write(files: Iterable[FileDescriptorProto]) -> bytes:
    """Returns the serialised FileDescriptorSet, equal for equal files in equal order."""
    return FileDescriptorSet(file=files).SerializeToString(deterministic=True)


def by_name(files: Iterable[FileDescriptorProto]) -> dict[str, FileDescriptorProto]:
    """Returns the files in order of their names, without source info and unknown fields.

    Of files that define the same under two names, the first stays.

    Raises:
        DescriptorError: There are two versions of a file, too many files or imports, or none.
    """
    found: dict[str, FileDescriptorProto] = {}
    contents: dict[bytes, str] = {}
    for file in files:
        file.ClearField("source_code_info")
        file.DiscardUnknownFields()
        name = _name(file)
        if contents.setdefault(_content(file), name) != name:
            continue
        if found.setdefault(name, file) != file:
            raise refuse(
                f"holds two versions of {shown(name)}; build every part of it from the same sources"
            )
        if len(found) > limits.DESCRIPTOR_FILES.value:
            raise refuse(
                f"has more than {limits.DESCRIPTOR_FILES} files", reason=Reason.DESCRIPTOR_TOO_LARGE
            )
    if not found:
        raise refuse(f"has no file; {_HOW}")
    imports = sum(len(f.dependency) + len(f.public_dependency) for f in found.values())
    if imports > limits.DESCRIPTOR_IMPORTS.value:
        raise refuse(
            f"has {imports} imports; at most {limits.DESCRIPTOR_IMPORTS} are allowed",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
    return _sorted(found)


def _content(file: FileDescriptorProto) -> bytes:
    """Returns what a file defines, or its name if that is nothing.

    The same definitions under two names are one file that is imported under two paths.
    """
    content = FileDescriptorProto()
    content.CopyFrom(file)
    for field in ("name", "dependency", "public_dependency", "weak_dependency"):
        content.ClearField(field)
    if not (content.message_type or content.enum_type or content.service or content.extension):
        return file.name.encode()
    return content.SerializeToString(deterministic=True)


def _sorted(files: Mapping[str, FileDescriptorProto]) -> dict[str, FileDescriptorProto]:
    return {name: files[name] for name in sorted(files)}


def _name(file: FileDescriptorProto) -> str:
    if isinstance(file.name, str) and file.name and file.name.isprintable():
        return file.name
    raise refuse(f"has a file with the name {shown(file.name)!r}: it must be printable text")


def _check_size(size: int) -> None:
    if size > limits.DESCRIPTOR_INPUT_BYTES.value:
        raise refuse(
            f"has {size} bytes or more; at most {limits.DESCRIPTOR_INPUT_BYTES} are read. Leave"
            " out source info and the files that the services do not import",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
