"""The services to export, from what users give."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grpc_operator.api import GrpcService
from grpc_operator.cli import descriptors, manifests, objects
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.targets import ExportedService, Inputs
from grpc_operator.cli.export.workload import workload
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given


def read(
    files: Sequence[Path],
    descriptor: Path | None = None,
    proto_path: Sequence[Path] = (),
    options: Mapping[str, str] | None = None,
) -> Inputs:
    """Returns the services in files, with their descriptors.

    Args:
        files: See ``manifests.read``.
        descriptor: See ``descriptors.of_service``.
        proto_path: See ``descriptors.of_service``.
        options: Those of the target.

    Raises:
        CliError: There is no GrpcService, or one cannot be read.
        DescriptorError: A descriptor cannot be used.
    """
    return of_documents(manifests.read(files), descriptor, proto_path, options)


def of_documents(
    documents: Sequence[Document],
    descriptor: Path | None = None,
    proto_path: Sequence[Path] = (),
    options: Mapping[str, str] | None = None,
) -> Inputs:
    """Returns the services among documents; arguments and errors are those of ``read``."""
    found = objects.services(documents)
    if not found:
        files = ", ".join(dict.fromkeys(each.file for each in documents))
        raise CliError(
            f"no GrpcService in {files}", fix="Make one with grpcop init or grpcop import."
        )
    services = []
    names: set[str] = set()
    for each in found:
        _check_name(each, names)
        pruned = descriptors.of_service(each, documents, descriptor, proto_path)
        made = workload(each.object, _annotations(each.document), pruned)
        services.append(ExportedService(each, made, pruned))
    return Inputs(services, objects.gateways(documents), options or {})


def _check_name(given: Given[GrpcService], names: set[str]) -> None:
    """Checks that no other service has the name, which files are named after."""
    name = given.object.metadata.name
    if name in names:
        raise CliError(
            f"the name {name[:80]!r} is that of two GrpcServices",
            fix="Export each namespace by itself.",
            where=given.document.where(("metadata", "name")),
        )
    names.add(name)


def _annotations(document: Document) -> Mapping[str, object]:
    metadata = document.data.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}
