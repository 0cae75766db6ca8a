"""A Gateway for a GrpcGateway, and the rights of routes to other namespaces."""

from collections.abc import Iterator, Sequence
from typing import Any

from grpc_operator.api.grpc_gateway import AllowedNamespaces, Listener
from grpc_operator.cli.export.attached import AttachedService, GatewayOfServices
from grpc_operator.cli.export.gateway_api.routes import API_VERSION, Transcoder
from grpc_operator.resources import Manifest

_NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has."""


def manifest(gateway: GatewayOfServices, gateway_class: str) -> Manifest:
    """Returns the Gateway."""
    spec = gateway.gateway.object.spec
    return {
        "apiVersion": API_VERSION,
        "kind": "Gateway",
        "metadata": {"name": gateway.name, "namespace": gateway.namespace},
        "spec": {
            "gatewayClassName": gateway_class,
            "listeners": [_listener(each) for each in spec.listeners],
        },
    }


def grants(services: Sequence[AttachedService], transcoder: Transcoder) -> Iterator[Manifest]:
    """Yields the ReferenceGrant for routes to a transcoder in another namespace."""
    if transcoder.namespace is None:
        return
    others = sorted({each.service.workload.namespace for each in services} - {transcoder.namespace})
    if others:
        group = API_VERSION.partition("/")[0]
        yield {
            "apiVersion": API_VERSION,
            "kind": "ReferenceGrant",
            "metadata": {"name": f"{transcoder.name}-rest", "namespace": transcoder.namespace},
            "spec": {
                "from": [
                    {"group": group, "kind": "HTTPRoute", "namespace": each} for each in others
                ],
                "to": [{"group": "", "kind": "Service", "name": transcoder.name}],
            },
        }


def _listener(given: Listener) -> dict[str, Any]:
    made: dict[str, Any] = {"name": given.name, "port": given.port}
    made["protocol"] = "HTTP" if given.tls is None else "HTTPS"
    if given.hostname is not None:
        made["hostname"] = given.hostname
    if given.tls is not None:
        made["tls"] = {"mode": "Terminate", "certificateRefs": [{"name": given.tls.secret_name}]}
    made["allowedRoutes"] = {"namespaces": _namespaces(given.allowed_namespaces)}
    return made


def _namespaces(given: AllowedNamespaces | None) -> dict[str, Any]:
    if given is None or given.from_ in ("Same", "All"):
        return {"from": given.from_ if given else "Same"}
    if given.from_ == "Names":
        expression = {"key": _NAME_LABEL, "operator": "In", "values": list(given.names or ())}
        return {"from": "Selector", "selector": {"matchExpressions": [expression]}}
    return {"from": "Selector", "selector": given.selector.wire() if given.selector else {}}
