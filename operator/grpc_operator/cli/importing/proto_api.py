"""The API of a service: its proto, compiled, pruned and with REST rules."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.protos import compiled
from grpc_operator.descriptor import DescriptorError, load


@dataclass(frozen=True)
class Api:
    """What a proto file defines.

    Attributes:
        services: Full names of its services.
        file: Its name, for people.
        encoded: The pruned FileDescriptorSet in base64.
        data: The same, serialised.
    """

    services: tuple[str, ...]
    file: str
    encoded: str
    data: bytes


def api_of(fields: Fields, proto_path: Sequence[Path]) -> Api:
    """Returns the API of the proto file that a service names.

    Args:
        fields: The service.
        proto_path: Folders that the file and its imports are relative to; by default the folder of
            the document, and ``proto`` in it.

    Raises:
        CliError: There is no such file, it cannot be compiled, or defines no service.
    """
    name = fields.text("proto")
    if not name:
        fields.refuse("proto", "must be set: the path of the .proto file")
    folder = Path(fields.document.file).parent
    roots = [*proto_path] or [folder / "proto", folder]
    roots = [root.resolve() for root in roots if root.is_dir()]
    file = _found(name, [folder, *proto_path], fields)
    if not any(file.is_relative_to(root) for root in (*roots, folder.resolve())):
        fields.refuse("proto", "must be below the folder of the file, or below a --proto-path")
    roots = [root for root in roots if root != folder.resolve()] + [folder.resolve()]
    data = compiled([file], roots)
    services = _services(data, file)
    if not services:
        raise CliError(f"{name}: defines no service", where=fields.where("proto"))
    try:
        descriptor = load(data, services, rest=True)
    except DescriptorError as error:
        raise CliError(f"{name}: {error}", where=fields.where("proto")) from error
    encoded = base64.b64encode(descriptor.data).decode()
    return Api(tuple(services), name, encoded, descriptor.data)


def _found(name: str, folders: Sequence[Path], fields: Fields) -> Path:
    for folder in folders:
        file = folder / name
        if "\0" not in name and file.is_file():
            return file.resolve()
    raise CliError(
        f"{name[:200]!r}: no such file",
        where=fields.where("proto"),
        fix="Give the folder that it is relative to with --proto-path.",
    )


def _services(data: bytes, file: Path) -> list[str]:
    """Returns the services of a file, not those of its imports. protoc names it relative to a
    folder of its path.
    """
    files = FileDescriptorSet.FromString(data).file
    defined = next(each for each in files if file.as_posix().endswith(f"/{each.name}"))
    prefix = f"{defined.package}." if defined.package else ""
    return [prefix + service.name for service in defined.service]
