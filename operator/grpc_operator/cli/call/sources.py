"""Where the descriptor of a call comes from."""

import base64
import binascii
from typing import TYPE_CHECKING

from grpc_operator import names
from grpc_operator.cli.call.options import Options
from grpc_operator.cli.call.reach import Service
from grpc_operator.cli.call.schema import Schema
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.protos import descriptor_set
from grpc_operator.descriptor import DescriptorError, unpacked
from grpc_operator.reflection import ReflectionError, fetch
from grpc_operator.resources import CONFIG_MAPS

if TYPE_CHECKING:
    from grpc_operator.cli.connection import Cluster

_KEY = "descriptor.pb"
_REFLECTION_SECONDS = 10.0
_INSTEAD = "Give the descriptor with --descriptor: a .proto file, a folder, or a set of protoc."


async def known(
    options: Options, cluster: "Cluster | None", service: Service | None
) -> Schema | None:
    """Returns the schema without asking the server; ``None`` if only the server has it.

    That which the user gives, else the one that the operator has pinned for the revision.

    Raises:
        CliError: It cannot be read.
    """
    if options.descriptor is not None:
        data = descriptor_set(options.descriptor, options.proto_path)
        return _schema(data, str(options.descriptor))
    if cluster is None or service is None:
        return None
    name = names.descriptor_config_map(service.described)
    found = await cluster.get(CONFIG_MAPS, service.namespace, name)
    where = f"ConfigMap {service.namespace}/{name}"
    content = ((found or {}).get("binaryData") or {}).get(_KEY)
    if content is None:
        return None
    try:
        return _schema(unpacked(base64.b64decode(content)), where)
    except (binascii.Error, DescriptorError) as error:
        raise CliError(str(error), where=where, fix=_INSTEAD) from error


async def reflected(target: str) -> Schema:
    """Returns the schema that a server has by reflection.

    Raises:
        CliError: It does not give it.
    """
    try:
        return _schema(await fetch(target, _REFLECTION_SECONDS), "reflection")
    except ReflectionError as error:
        words = str(error).partition("; give the FileDescriptorSet")[0]
        raise CliError(f"no descriptor is known, and {words}", fix=_INSTEAD) from error


def _schema(data: bytes, where: str) -> Schema:
    try:
        return Schema(data)
    except DescriptorError as error:
        raise CliError(str(error), where=where, fix=_INSTEAD) from error
