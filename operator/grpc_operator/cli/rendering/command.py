"""Runs ``render``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli import manifests, objects, output
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.cli.output import Column, Format, Table
from grpc_operator.cli.rendering import kubernetes
from grpc_operator.names import descriptor_config_map
from grpc_operator.resources import Manifest


@dataclass(frozen=True)
class Request:
    """What to render.

    Attributes:
        paths: Files with the objects.
        descriptor: See ``descriptors.of_service``.
        proto_path: See there.
        namespace: That of objects which name none.
        is_envoy: Envoy's resources rather than objects of Kubernetes.
    """

    paths: Sequence[Path]
    descriptor: Path | None = None
    proto_path: Sequence[Path] = ()
    namespace: str = objects.DEFAULT_NAMESPACE
    is_envoy: bool = False


@dataclass(frozen=True)
class _Input:
    documents: list[Document]
    services: list[Given[GrpcService]]
    gateways: list[Given[GrpcGateway]]


def run(request: Request, form: Format) -> None:
    """Prints what is rendered."""
    if request.is_envoy:
        _write_resources(rendered_resources(request), form)
        return
    found = rendered_objects(request)
    columns = (Column("NAMESPACE"), Column("KIND"), Column("NAME"))
    rows = [(_of(each, "namespace"), each["kind"], _of(each, "name")) for each in found]
    names = [f"{each['kind'].lower()}/{_of(each, 'name')}" for each in found]
    output.write(form, Table(columns, rows), found, names)


def rendered_objects(request: Request) -> list[Manifest]:
    """Returns the objects of all that the files have.

    Raises:
        CliError: An object is refused, or there is none of ours.
    """
    given = _read(request)
    found = []
    if given.gateways:
        from grpc_operator.cli.rendering.proxies import of_gateway

        for gateway in given.gateways:
            found += of_gateway(gateway)
    for service in given.services:
        found += kubernetes.of_service(
            service, given.documents, request.descriptor, request.proto_path
        )
        _note_descriptor(service, found)
    return found


def rendered_resources(request: Request) -> dict[str, list[Any]]:
    """Returns Envoy's resources for the services that the files have, on one gateway.

    Raises:
        CliError: An object is refused; services conflict; there are several gateways.
    """
    from grpc_operator.cli.rendering import envoy

    given = _read(request)
    if len(given.gateways) > 1:
        second = given.gateways[1].document
        raise CliError(
            "is a second GrpcGateway; each has a configuration of its own",
            where=second.where(),
            fix="Give one GrpcGateway, with the GrpcServices that are attached to it.",
        )
    gateway = next(iter(given.gateways), None) or envoy.default_gateway(
        next((each.object.metadata.namespace for each in given.services), request.namespace)
    )
    attachments = [
        envoy.attachment(
            each, gateway.object, given.documents, request.descriptor, request.proto_path
        )
        for each in given.services
    ]
    attached = [each for each in attachments if each is not None]
    return envoy.resources(envoy.snapshot(envoy.intermediate(gateway), attached))


def _read(request: Request) -> _Input:
    documents = manifests.read(request.paths)
    services = objects.services(documents, request.namespace)
    gateways = objects.gateways(documents, request.namespace)
    if not services and not gateways:
        raise CliError(
            f"{', '.join(map(str, request.paths))}: no GrpcService and no GrpcGateway of"
            f" {API_VERSION}"
        )
    if request.descriptor is not None and len(services) > 1:
        raise CliError(
            f"--descriptor is for one GrpcService, and there are {len(services)}",
            where=services[1].document.where(),
        )
    return _Input(documents, services, gateways)


def _note_descriptor(service: Given[GrpcService], found: Sequence[Manifest]) -> None:
    if service.object.spec.gateway is None:
        return
    name = descriptor_config_map(service.object.metadata.name)
    if not any(each["metadata"]["name"] == name for each in found):
        output.note(
            f"{service.document.where()}: ConfigMap {name} is left out: the operator makes it of"
            " the descriptor, which only a running pod has; give it with --descriptor"
        )


def _write_resources(found: dict[str, list[Any]], form: Format) -> None:
    rows = [
        (kind, each.get("name") or each.get("cluster_name", ""))
        for kind, values in found.items()
        for each in values
    ]
    table = Table((Column("KIND"), Column("NAME")), rows)
    output.write(form, table, [found], [f"{kind}/{name}" for kind, name in rows])


def _of(manifest: Manifest, key: str) -> str:
    return str(manifest["metadata"][key])
