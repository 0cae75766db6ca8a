"""``infera.yaml``: gRPC services, the routes of a gateway, and the network of a cloud."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc_operator.api import API_VERSION
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing import objects
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.images import Images
from grpc_operator.cli.importing.objects import EXPORT
from grpc_operator.cli.importing.proto_api import Api, api_of
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.routes import Routes
from grpc_operator.cli.importing.written import Written
from grpc_operator.cli.manifests import Document

PROVIDERS = ("gcp", "aws", "azure")
_MOST_SERVICES = 100
_INTERNAL = {
    "gcp": {"networking.gke.io/load-balancer-type": "Internal"},
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    },
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
}
"""What makes the load balancer of a Service internal: in GKE, in EKS with the AWS Load Balancer
Controller, and in AKS."""


@dataclass(frozen=True)
class _Project:
    """What all services share.

    Attributes:
        name: Of the project, which is also that of the GrpcGateway.
        annotations: What export reads.
        routes: Of the gateway.
        images: Names of images.
        proto_path: Folders that imports of protos are relative to.
    """

    name: str
    annotations: dict[str, str]
    routes: Routes
    images: Images
    proto_path: Sequence[Path] = field(default=())


def matches(document: Document) -> bool:
    """Returns whether a document is an ``infera.yaml``."""
    return isinstance(document.data, dict) and "grpc_services" in document.data


def read(
    document: Document, report: Report, images: Images, proto_path: Sequence[Path]
) -> list[Written]:
    """Returns the GrpcServices, their descriptors, and the GrpcGateway.

    Args:
        document: The file.
        report: Gets what is lost or changed.
        images: The images, of which the file says nothing.
        proto_path: Folders that imports of protos are relative to; by default the folder of the
            file, and ``proto`` in it.

    Raises:
        CliError: The file, or a proto, cannot be read.
    """
    root = Fields(document, report)
    services = root.items("grpc_services")
    if not services or len(services) > _MOST_SERVICES:
        root.refuse("grpc_services", f"must have 1 to {_MOST_SERVICES} services")
    project = _project(root, images, proto_path)
    written: list[Written] = []
    for each in services:
        written += _service(each, project)
    _check_names(services, written)
    project.routes.check({each.name for each in written if each.kind == "GrpcService"})
    if project.routes.gateway:
        written.append(_gateway(root, project))
    root.finish("grpcop knows no such field of an infera.yaml")
    return written


def _project(root: Fields, images: Images, proto_path: Sequence[Path]) -> _Project:
    name = objects.name(root, "project_name") if "project_name" in root else "default"
    provider, region = root.text("provider"), root.text("region")
    if provider not in (None, *PROVIDERS):
        root.refuse("provider", f"must be one of {', '.join(PROVIDERS)}")
    network = root.child("networking")
    connector = network.flag("vpc_connector")
    internal = network.flag("internal_lb")
    found = {
        "provider": provider,
        "region": region,
        "project": name if name != "default" else None,
        "vpc-access-connector": "true" if connector else None,
        "internal-load-balancer": "true" if internal else None,
    }
    if connector:
        network.say(
            Effect.CHANGED,
            "pods are in the network of the cluster (kept as an annotation for export)",
            "vpc_connector",
        )
    annotations = {EXPORT + key: value for key, value in found.items() if value}
    return _Project(name, annotations, Routes.read(root.child("gateway")), images, proto_path)


def _service(fields: Fields, project: _Project) -> list[Written]:
    name = objects.name(fields)
    api = api_of(fields, project.proto_path)
    port = fields.number("port")
    if port is None:
        port = 50051
        fields.say(Effect.GUESSED, f"no port is given; {port} is assumed")
    annotations = dict(project.annotations)
    spec: dict[str, Any] = {
        "image": project.images.of(project.name, name),
        "port": port,
        "probes": _probes(fields, api),
        "descriptor": {"configMap": {"name": f"{name}-api"}},
        "services": list(api.services),
    }
    gateway = project.routes.of(name, api, project.name)
    if gateway:
        spec["gateway"] = gateway
    meta = {"name": name, "annotations": annotations} if annotations else {"name": name}
    written = Written(objects.grpc_service(meta, spec))
    project.images.explain(written, fields)
    _explain(written, fields, api)
    return [_descriptor(name, api), written]


def _probes(fields: Fields, api: Api) -> dict[str, Any]:
    checked = fields.flag("health_check")
    if checked is False:
        return {probe: {"mode": "Disabled"} for probe in ("startup", "readiness", "liveness")}
    if checked is None:
        return {}
    named = {"service": api.services[0]}
    return {"startup": named, "readiness": dict(named)}


def _explain(written: Written, fields: Fields, api: Api) -> None:
    probes = written.data["spec"]["probes"]
    if not probes:
        del written.data["spec"]["probes"]
    elif "service" in probes["readiness"]:
        written.comment(
            "From health_check. The server must report the health of this name; without service,"
            " that of the whole server.",
            *("spec", "probes"),
        )
        if len(api.services) > 1:
            fields.say(
                Effect.GUESSED,
                f"the proto has several services; the health of {api.services[0]} counts",
                "health_check",
            )
    if "rules" in written.data["spec"].get("gateway", {}).get("rest", {}):
        fields.say(
            Effect.GUESSED,
            "the proto has no google.api.http; the REST rules follow the names of its methods"
            " (AIP-131 to AIP-136)",
            "proto",
        )
        written.comment(
            "Proposed by the names of the methods: the proto has no google.api.http. Review them.",
            *("spec", "gateway", "rest", "rules"),
        )


def _descriptor(name: str, api: Api) -> Written:
    return Written(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{name}-api"},
            "binaryData": {"descriptor.pb": api.encoded},
        },
        [(("binaryData",), f"FileDescriptorSet of {api.file}, pruned.")],
    )


def _gateway(root: Fields, project: _Project) -> Written:
    meta: dict[str, Any] = {"name": project.name}
    if project.annotations:
        meta["annotations"] = project.annotations
    spec: dict[str, Any] = {}
    written = Written(
        {"apiVersion": API_VERSION, "kind": "GrpcGateway", "metadata": meta, "spec": spec}
    )
    if f"{EXPORT}internal-load-balancer" in project.annotations:
        annotations = _INTERNAL.get(project.annotations.get(f"{EXPORT}provider", ""))
        spec["service"] = {"type": "LoadBalancer"}
        if annotations:
            spec["service"]["annotations"] = dict(annotations)
            written.comment("From networking.internal_lb.", "spec", "service")
        else:
            spec["service"]["type"] = "ClusterIP"
            root.say(
                Effect.CHANGED,
                "without provider, the Service of the gateway is reachable in the cluster only",
                *("networking", "internal_lb"),
            )
    return written


def _check_names(services: list[Fields], written: list[Written]) -> None:
    names = [each.name for each in written if each.kind == "GrpcService"]
    for fields, name in zip(services, names, strict=True):
        if names.count(name) > 1:
            raise CliError(
                f"the name {name} occurs twice",
                where=fields.where("name"),
                fix="Give every service a name of its own.",
            )
