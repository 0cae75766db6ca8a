"""What the proxies of a gateway would be sent for GrpcServices: xDS resources as plain values."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli import descriptors
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document, of_text
from grpc_operator.cli.objects import Given, gateways
from grpc_operator.cli.rendering.kubernetes import refused
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, GatewayIr
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.snapshot import Snapshot

_NAMES = {
    "Listener": "listeners",
    "ScopedRouteConfiguration": "scoped_routes",
    "RouteConfiguration": "routes",
    "Cluster": "clusters",
    "ClusterLoadAssignment": "endpoints",
}


def attachment(
    given: Given[GrpcService],
    gateway: GrpcGateway,
    documents: Iterable[Document] = (),
    descriptor: Path | None = None,
    proto_path: Sequence[Path] = (),
) -> Attachment | None:
    """Returns what a service requests of its gateway; ``None`` without ``spec.gateway``.

    Args:
        given: The service.
        gateway: The gateway.
        documents: See ``descriptors.of_service``, as for the others.
        descriptor: See there.
        proto_path: See there.

    Raises:
        CliError: Spec or descriptor are refused; with the lines.
    """
    if given.object.spec.gateway is None:
        return None
    try:
        known = descriptors.of_service(given, documents, descriptor, proto_path)
        return attach(given.object, known, gateway.spec.domain)
    except InvalidSpecError as error:
        raise refused(given.document, error) from error


def intermediate(given: Given[GrpcGateway]) -> GatewayIr:
    """Returns a gateway as ``SnapshotBuilder`` reads it.

    Raises:
        CliError: Its spec is refused; with the lines.
    """
    try:
        return gateway_ir(given.object, "cluster.local")
    except InvalidSpecError as error:
        raise refused(given.document, error) from error


def snapshot(gateway: GatewayIr, attachments: Sequence[Attachment]) -> Snapshot:
    """Returns the configuration of a gateway's proxies, without endpoints.

    Raises:
        CliError: Services conflict with each other, or may not have the hosts that they request.
    """
    made, plan = SnapshotBuilder().build(gateway, attachments, {})
    lost = [
        f"GrpcService {key.namespaced_name}: {problem}"
        for key, problems in plan.refused.items()
        for problem in problems
    ]
    if lost:
        raise CliError("\n".join(lost))
    return made


def resources(made: Snapshot) -> dict[str, list[Any]]:
    """Returns the resources of a snapshot by kind; fields are named as in Envoy's documentation."""
    found: dict[str, list[Any]] = {name: [] for name in _NAMES.values()}
    for type_url, named in made.resources.items():
        kind = _NAMES[type_url.rpartition(".")[2]]
        for _, resource in sorted(named.items()):
            value = MessageToDict(resource.body, preserving_proto_field_name=True)
            found[kind].append({key: each for key, each in value.items() if key != "@type"})
    return {name: values for name, values in found.items() if values}


def default_gateway(namespace: str, name: str = "default") -> Given[GrpcGateway]:
    """Returns a gateway without settings, where none is given.

    It is in the namespace of the services, so they may have every host.
    """
    text = f"apiVersion: {API_VERSION}\nkind: GrpcGateway\nmetadata: {{}}\nspec: {{}}\n"
    (document,) = of_text(text, "default gateway")
    document.data["metadata"] = {"name": name, "namespace": namespace}
    (given,) = gateways([document], namespace)
    return given
