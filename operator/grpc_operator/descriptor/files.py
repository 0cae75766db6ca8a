"""Bytes to FileDescriptorProtos by name, and back to bytes that do not depend on the input's
order.
"""

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import refuse, shown
from grpc_operator.descriptor.limits import MAX_FILES, MAX_IMPORTS, MAX_INPUT_BYTES

_HOW = "make it with protoc --include_imports --descriptor_set_out=FILE, or with buf build -o FILE"


def read(data: bytes) -> dict[str, FileDescriptorProto]:
    """Returns the files of a serialised FileDescriptorSet by name.

    Raises:
        DescriptorError: It does not parse, is too large, or has two versions of a file.
    """
    _check_size(len(data))
    if not data:
        raise refuse(f"is empty; {_HOW}")
    if data.startswith(b"\x1f\x8b"):
        raise refuse("is compressed with gzip; give the FileDescriptorSet itself")
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

    Raises:
        DescriptorError: There are two versions of a file, too many files or imports, or none.
    """
    found: dict[str, FileDescriptorProto] = {}
    for file in files:
        file.ClearField("source_code_info")
        file.DiscardUnknownFields()
        name = _name(file)
        if found.setdefault(name, file) != file:
            raise refuse(
                f"holds two versions of {shown(name)}; build every part of it from the same sources"
            )
        if len(found) > MAX_FILES:
            raise refuse(f"has more than {MAX_FILES} files", reason=Reason.DESCRIPTOR_TOO_LARGE)
    if not found:
        raise refuse(f"has no file; {_HOW}")
    imports = sum(len(f.dependency) + len(f.public_dependency) for f in found.values())
    if imports > MAX_IMPORTS:
        raise refuse(
            f"has {imports} imports; at most {MAX_IMPORTS} are allowed",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
    return _sorted(found)


def _sorted(files: Mapping[str, FileDescriptorProto]) -> dict[str, FileDescriptorProto]:
    return {name: files[name] for name in sorted(files)}


def _name(file: FileDescriptorProto) -> str:
    if isinstance(file.name, str) and file.name and file.name.isprintable():
        return file.name
    raise refuse(f"has a file with the name {shown(file.name)!r}: it must be printable text")


def _check_size(size: int) -> None:
    if size > MAX_INPUT_BYTES:
        raise refuse(
            f"has {size} bytes or more; at most {MAX_INPUT_BYTES} are read. Leave out source info"
            " and the files that the services do not import",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
