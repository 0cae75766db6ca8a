"""What an ``infera.yaml`` asks for and what its import results in, as facts."""

from typing import Any

from grpc_operator.cli.importing.meaning import Facts
from grpc_operator.cli.importing.objects import dns_label
from grpc_operator.cli.importing.verify import Accepted
from grpc_operator.cli.manifests import Document


def of_source(document: Document, name: str) -> Facts:
    """Returns what the file says of one service.

    Args:
        document: The file.
        name: Name of the GrpcService.
    """
    data: dict[str, Any] = document.data
    (service,) = [each for each in data["grpc_services"] if _same(each["name"], name)]
    facts = {"port": str(service.get("port") or 50051)}
    if service.get("health_check") is not None:
        facts["health_check"] = str(bool(service["health_check"]))
    gateway = data.get("gateway") or {}
    if gateway.get("transcoding") is False:
        return facts
    for route in gateway.get("routes") or []:
        if _same(route["service"], name):
            facts[f"path {route['path'].rstrip('/*')}"] = "served"
    return facts


def of_result(accepted: Accepted) -> Facts:
    """Returns the same of what the operator makes of a GrpcService."""
    (deployment,) = [each for each in accepted.objects if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    facts = {
        "port": str(container["ports"][0]["containerPort"]),
        "health_check": str("readinessProbe" in container),
    }
    attachment = accepted.attachment
    if attachment is None or attachment.rest is None:
        return facts
    paths = [
        binding.template
        for api in attachment.apis
        for method in api.methods
        for binding in method.bindings
    ]
    for prefix in attachment.rest.prefixes:
        served = any(
            path == prefix or path.startswith((f"{prefix}/", f"{prefix}:")) for path in paths
        )
        facts[f"path {prefix}"] = "served" if served else "served by no method"
    return facts


def _same(given: str, name: str) -> bool:
    return dns_label(given) == name
