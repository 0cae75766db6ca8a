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
from grpc_operator.cli.rendering.kubernetes import refused
from grpc_operator.errors import InvalidSpecError


def read(
    files: Sequence[Path],
    sources: Sequence[str] = (),
    proto_path: Sequence[Path] = (),
    options: Mapping[str, str] | None = None,
) -> Inputs:
    """Returns the services in files, with their descriptors.

    Args:
        files: See ``manifests.read``.
        sources: Paths to read descriptors from: ``NAME=PATH`` for a service, ``PATH`` for the
            others.
        proto_path: See ``descriptors.of_service``.
        options: Those of the target.

    Raises:
        CliError: There is no GrpcService, or one or its descriptor cannot be read.
    """
    return of_documents(manifests.read(files), sources, proto_path, options)


def of_documents(
    documents: Sequence[Document],
    sources: Sequence[str] = (),
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
    paths = _paths(found, sources)
    services = []
    for each in found:
        try:
            path = paths[each.object.metadata.name]
            pruned = descriptors.of_service(each, documents, path, proto_path)
        except InvalidSpecError as error:
            raise refused(each.document, error) from error
        made = workload(each.object, _annotations(each.document), pruned)
        services.append(ExportedService(each, made, pruned))
    return Inputs(services, objects.gateways(documents), options or {})


def _paths(found: Sequence[Given[GrpcService]], sources: Sequence[str]) -> dict[str, Path | None]:
    """Returns where the descriptor of each service is read from; ``None`` for its own source."""
    names: set[str] = set()
    for each in found:
        _check_name(each, names)
    named: dict[str, Path] = {}
    other: Path | None = None
    for source in sources:
        name, separator, path = source.partition("=")
        if separator and name in names:
            named[name] = Path(path)
        else:
            other = Path(source)
    for each in found:
        name = each.object.metadata.name
        if other and len(names) > 1 and name not in named and not each.object.spec.services:
            raise CliError(
                "a descriptor for all services does not say which gRPC services this one has",
                fix=f"Set spec.services, or give its own with --descriptor {name}=PATH.",
                where=each.document.where(("spec",)),
            )
    return {name: named.get(name, other) for name in names}


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
