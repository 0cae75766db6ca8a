"""The descriptor of a GrpcService, from files: what the operator would read from the cluster."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from pathlib import Path

from grpc_operator.api import GrpcService
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.cli.protos import descriptor_set
from grpc_operator.descriptor import Descriptor, load
from grpc_operator.gateway import rest


def of_service(
    given: Given[GrpcService],
    documents: Iterable[Document],
    path: Path | None = None,
    proto_path: Sequence[Path] = (),
) -> Descriptor | None:
    """Returns the pruned descriptor of a service; ``None`` if only the running server has it.

    Args:
        given: The service.
        documents: Everything that was given: a ConfigMap with the set may be among it.
        path: Where to read it from instead of what ``spec.descriptor`` says.
        proto_path: See ``protos.descriptor_set``.

    Raises:
        CliError: What ``spec.descriptor`` says cannot be read.
        DescriptorError: The set cannot be used.
    """
    data = descriptor_set(path, proto_path) if path else of_spec(given, documents)
    if data is None:
        return None
    spec = given.object.spec
    rules = spec.gateway.http_rules if spec.gateway is not None else ()
    return load(data, spec.services, rest=offers_rest(given.object), rules=rules)


def of_spec(given: Given[GrpcService], documents: Iterable[Document]) -> bytes | None:
    """Returns the set that ``spec.descriptor`` names; raises as ``of_service`` does."""
    source = given.object.spec.descriptor
    where = given.document.where(("spec", "descriptor"))
    if source.inline is not None:
        return _decoded(source.inline, where)
    if source.config_map is None:
        return None
    for each in documents:
        if each.kind == "ConfigMap" and _name(each) == source.config_map.name:
            data = (each.data.get("binaryData") or {}).get(source.config_map.key)
            if isinstance(data, str):
                return _decoded(data, each.where(("binaryData", source.config_map.key)))
            raise CliError(f"has no binaryData.{source.config_map.key}", where=each.where())
    return None


def offers_rest(service: GrpcService) -> bool:
    """Returns whether a service is to be served by REST."""
    return service.spec.gateway is not None and rest.is_offered(service.spec.gateway)


def _name(document: Document) -> str:
    metadata = document.data.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise CliError(f"is not base64: {error}", where=where) from error
