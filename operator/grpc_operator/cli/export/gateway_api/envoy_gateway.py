"""Target ``envoy-gateway``: the routes, and Envoy Gateway's policies for them (version 1.9)."""

from collections.abc import Iterator

from grpc_operator.cli.export import attached
from grpc_operator.cli.export.attached import AttachedService, GatewayOfServices
from grpc_operator.cli.export.gateway_api import gateway, policies, routes, standard
from grpc_operator.cli.export.gateway_api.coverage import ENVOY_GATEWAY as COVERAGE
from grpc_operator.cli.export.gateway_api.coverage import ENVOY_GATEWAY_GATEWAY as GATEWAY_COVERAGE
from grpc_operator.cli.export.gateway_api.routes import Transcoder
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import Exported, Inputs
from grpc_operator.cli.output import yaml_text
from grpc_operator.resources import Manifest

__all__ = ["COVERAGE", "GATEWAY_COVERAGE", "OPTIONS", "export"]

OPTIONS = standard.OPTIONS

_CLASS = "eg"
"""The GatewayClass of Envoy Gateway's quickstart."""


def export(inputs: Inputs) -> Exported:
    """Returns a file for each service, and one for each gateway.

    Raises:
        CliError: See ``attached.gateways``; an option is wrong.
    """
    found = attached.gateways(inputs)
    to = standard.transcoder(inputs.options)
    files = {}
    losses: list[Loss] = []
    for each in found:
        made: list[Manifest] = []
        if each.gateway in inputs.gateways:
            made.append(gateway.manifest(each, standard.gateway_class(inputs.options, _CLASS)))
        made.append(policies.client_traffic(each))
        files[f"gateway-{each.namespace}-{each.name}.yaml"] = yaml_text(made)
        for service in each.services:
            files[f"{service.service.workload.name}.yaml"] = yaml_text(_of(each, service, to))
            losses += standard.rest_losses(service, to)
            losses += policies.losses(service, web_is_enabled=policies.offers_web(each))
    files |= standard.grant_files(found, to)
    return Exported(files, [*attached.losses(inputs, found), *losses])


def _of(
    each: GatewayOfServices, service: AttachedService, to: Transcoder | None
) -> Iterator[Manifest]:
    made = routes.grpc_routes(service, by_policy=True)
    rest = list(standard.rest(each, service, to))
    for route in made:
        yield routes.grpc_manifest(each, service, route)
    yield from rest
    for route in made:
        for rule in route.rules:
            yield policies.backend_traffic(service, route, rule)
    targets = [("GRPCRoute", route.name) for route in made]
    if service.attachment.cors is not None and targets:
        # HTTPRoutes have a filter for it.
        yield policies.cors(service, targets)
