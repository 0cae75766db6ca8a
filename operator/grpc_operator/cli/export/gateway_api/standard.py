"""Target ``gateway-api``: what every implementation of Gateway API v1 understands."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export import attached
from grpc_operator.cli.export.attached import AttachedService, GatewayOfServices
from grpc_operator.cli.export.gateway_api import gateway, routes
from grpc_operator.cli.export.gateway_api.coverage import STANDARD as COVERAGE
from grpc_operator.cli.export.gateway_api.coverage import STANDARD_GATEWAY as GATEWAY_COVERAGE
from grpc_operator.cli.export.gateway_api.routes import Transcoder
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import Exported, Inputs
from grpc_operator.cli.output import yaml_text
from grpc_operator.gateway.envoy.cors import METHODS, REQUEST_HEADERS, RESPONSE_HEADERS
from grpc_operator.gateway.ir import Cors
from grpc_operator.resources import Manifest

__all__ = ["COVERAGE", "GATEWAY_COVERAGE", "OPTIONS", "export"]

OPTIONS = frozenset({"gateway-class", "transcoder"})

_TRANSCODER = re.compile(
    r"((?P<namespace>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)/)?"
    r"(?P<name>[a-z]([-a-z0-9]{0,61}[a-z0-9])?):(?P<port>[0-9]{1,5})"
)
_LARGEST_PORT = 65535


def export(inputs: Inputs) -> Exported:
    """Returns a file for each service, and one for each Gateway.

    Raises:
        CliError: See ``attached.gateways``; an option is missing or wrong.
    """
    found = attached.gateways(inputs)
    to = transcoder(inputs.options)
    files = {}
    for each in found:
        if each.gateway in inputs.gateways:
            made = [gateway.manifest(each, gateway_class(inputs.options))]
            files[f"gateway-{each.namespace}-{each.name}.yaml"] = yaml_text(made)
        for service in each.services:
            manifests = [*_grpc(each, service), *rest(each, service, to)]
            files[f"{service.service.workload.name}.yaml"] = yaml_text(manifests)
    files |= grant_files(found, to)
    lost = [loss for each in found for service in each.services for loss in _losses(service, to)]
    return Exported(files, [*attached.losses(inputs, found), *lost])


def transcoder(options: Mapping[str, str]) -> Transcoder | None:
    """Returns the Service that ``--transcoder`` names.

    Raises:
        CliError: It names none.
    """
    given = options.get("transcoder")
    if given is None:
        return None
    found = _TRANSCODER.fullmatch(given)
    if found is None or not 0 < int(found["port"]) <= _LARGEST_PORT:
        raise CliError(
            f"--transcoder: {given[:80]!r} is not a Service with its port",
            fix="Write [NAMESPACE/]NAME:PORT, such as gateways/transcoder:80.",
        )
    return Transcoder(found["namespace"], found["name"], int(found["port"]))


def gateway_class(options: Mapping[str, str], default: str = "") -> str:
    """Returns the GatewayClass of Gateways.

    Raises:
        CliError: There is none.
    """
    given = options.get("gateway-class", default)
    if not given:
        raise CliError(
            "a Gateway needs a class, and --gateway-class is not given",
            fix="Give one of kubectl get gatewayclasses.",
        )
    return given


def rest(
    each: GatewayOfServices, service: AttachedService, to: Transcoder | None
) -> Iterator[Manifest]:
    """Yields the HTTPRoutes of a service; none without a transcoder."""
    if to is None or service.attachment.rest is None:
        return
    more: dict[str, Any] = {}
    request = service.service.workload.timeouts.request
    if request:
        more["timeouts"] = {"request": f"{round(request * 1000)}ms"}
    if service.attachment.cors is not None:
        more["filters"] = [{"type": "CORS", "cors": cors(service.attachment.cors)}]
    yield from routes.http_manifests(each, service, to, more)


def cors(given: Cors) -> dict[str, Any]:
    """Returns a CORS policy with what gRPC-Web and REST need."""
    return {
        "allowOrigins": list(given.allow_origins),
        "allowCredentials": given.allow_credentials,
        "allowMethods": METHODS.split(", "),
        "allowHeaders": sorted({*REQUEST_HEADERS, *given.allow_headers}),
        "exposeHeaders": sorted({*RESPONSE_HEADERS, *given.expose_headers}),
        "maxAge": max(int(given.max_age), 1),
    }


def grant_files(found: list[GatewayOfServices], to: Transcoder | None) -> dict[str, str]:
    """Returns the file with the ReferenceGrant for a transcoder, if one is needed."""
    services = [
        service
        for each in found
        for service in each.services
        if service.attachment.rest is not None
    ]
    made = list(gateway.grants(services, to)) if to else []
    return {"transcoder-grant.yaml": yaml_text(made)} if made else {}


def rest_losses(service: AttachedService, to: Transcoder | None) -> Iterator[Loss]:
    """Yields what is lost of REST."""
    if service.attachment.rest is None:
        return
    if to is None:
        yield service.service.loss(
            "spec.gateway.rest",
            "needs a gateway that transcodes, which Gateway API does not.",
            "Run Envoy with --to envoy as a Service, and name it with --transcoder.",
        )
        return
    spec = service.service.object.spec
    if spec.gateway is not None and spec.gateway.rest.auto_mapping == "Enabled":
        yield service.service.loss(
            "spec.gateway.rest.autoMapping",
            "has the paths of gRPC, which the GRPCRoute takes.",
            "Call the methods by gRPC or gRPC-Web, or give them REST rules.",
        )


def _grpc(each: GatewayOfServices, service: AttachedService) -> list[Manifest]:
    made = routes.grpc_routes(service, by_policy=False)
    return [routes.grpc_manifest(each, service, route) for route in made]


def _losses(service: AttachedService, to: Transcoder | None) -> Iterator[Loss]:
    yield from rest_losses(service, to)
    attachment, about = service.attachment, service.service
    if attachment.grpc_web:
        yield about.loss(
            "spec.gateway.protocols",
            "have gRPC-Web, of which Gateway API says nothing.",
            "Enable it in the gateway, such as with --to envoy-gateway.",
        )
    if attachment.cors is not None:
        yield about.loss(
            "spec.gateway.cors",
            "is not possible for a GRPCRoute, and so for gRPC-Web.",
            "Use a policy of the gateway, such as with --to envoy-gateway.",
        )
    if about.workload.timeouts.request is not None:
        yield about.loss(
            "spec.gateway.timeouts.request",
            "is not possible for a GRPCRoute.",
            "Use a policy of the gateway, such as with --to envoy-gateway.",
        )
