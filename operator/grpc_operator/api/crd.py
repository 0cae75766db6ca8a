"""Makes CustomResourceDefinitions from the models."""

from typing import Any

from grpc_operator.api import GROUP, VERSION
from grpc_operator.api.grpc_gateway import GrpcGateway
from grpc_operator.api.grpc_service import GrpcService
from grpc_operator.api.structural import Schema, structural

Manifest = dict[str, Any]


def _column(name: str, path: str, description: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "jsonPath": path,
        "description": description,
        **more,
    }


_READY = '.status.conditions[?(@.type=="Ready")]'

_GRPC_SERVICE_COLUMNS = [
    _column("Ready", f"{_READY}.status", "Whether all desired pods run the current spec."),
    _column("Reason", f"{_READY}.reason", "Reason of the Ready condition."),
    _column("Replicas", ".status.readySummary", "Ready and desired pods."),
    _column("Rollout", ".status.rollout.summary", "Share of the newest revision."),
    _column("Hosts", ".status.hostsSummary", "Hosts of the gateway that the service has."),
    _column("Gateway", ".status.gateway", "GrpcGateway that the service is attached to."),
    _column("Age", ".metadata.creationTimestamp", "Time since creation.", type="date"),
    _column("URL", ".status.url", "Target for gRPC clients inside the cluster.", priority=1),
    _column("Image", ".spec.image", "Image of the gRPC server.", priority=1),
    _column("Message", f"{_READY}.message", "Message of the Ready condition.", priority=1),
]


_GRPC_GATEWAY_COLUMNS = [
    _column("Ready", f"{_READY}.status", "Whether all desired pods run the current spec."),
    _column("Reason", f"{_READY}.reason", "Reason of the Ready condition."),
    _column("Replicas", ".status.readySummary", "Ready and desired proxies."),
    _column("Domain", ".spec.domain", "Parent of the default hosts, NAME.NAMESPACE.DOMAIN."),
    _column(
        "Services",
        ".status.attachedServices",
        "GrpcServices that the gateway serves.",
        type="integer",
    ),
    _column("Address", ".status.address", "Address of the gateway."),
    _column("Age", ".metadata.creationTimestamp", "Time since creation.", type="date"),
    _column("Image", ".spec.image", "Image of Envoy.", priority=1),
    _column("Message", f"{_READY}.message", "Message of the Ready condition.", priority=1),
]


_GRPC_SERVICE_SELECTABLE = [".spec.image", ".spec.gateway.gatewayRef.name", ".status.gateway"]
_GRPC_GATEWAY_SELECTABLE = [".spec.domain", ".spec.image"]
"""What ``kubectl get --field-selector`` takes (KEP-4358, since Kubernetes 1.31); not lists."""


def grpc_service_crd() -> Manifest:
    """Returns the CustomResourceDefinition of GrpcService."""
    return _crd(GrpcService, "gsvc", _GRPC_SERVICE_COLUMNS, _GRPC_SERVICE_SELECTABLE)


def grpc_gateway_crd() -> Manifest:
    """Returns the CustomResourceDefinition of GrpcGateway."""
    return _crd(GrpcGateway, "ggw", _GRPC_GATEWAY_COLUMNS, _GRPC_GATEWAY_SELECTABLE)


def _crd(
    model: type[GrpcService | GrpcGateway],
    short_name: str,
    columns: list[dict[str, Any]],
    selectable: list[str],
) -> Manifest:
    kind = model.__name__
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": f"{kind.lower()}s",
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": ["grpc"],
            },
            "conversion": {"strategy": "None"},
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": columns,
                    "selectableFields": [{"jsonPath": path} for path in selectable],
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "schema": {"openAPIV3Schema": _root_schema(model)},
                }
            ],
        },
    }


def _root_schema(model: type[GrpcService | GrpcGateway]) -> Schema:
    raw = model.model_json_schema(by_alias=True)
    raw["properties"]["metadata"] = {"type": "object", "description": "Object metadata."}
    raw["properties"]["apiVersion"] = {
        "type": "string",
        "description": f"Version of this API: {GROUP}/{VERSION}.",
    }
    raw["properties"]["kind"] = {"type": "string", "description": f"{model.__name__}."}
    raw["required"] = ["spec"]
    schema = structural(raw)
    # Before the first reconciliation kstatus must see an unobserved generation (-1): without it a
    # new object counts as ready.
    schema["properties"]["status"]["default"] = {"observedGeneration": -1}
    del schema["properties"]["metadata"]["description"]
    return schema
