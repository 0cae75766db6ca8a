"""Every label, annotation and field manager the operator writes or reads."""

from collections.abc import Mapping
from typing import Any

FIELD_MANAGER = "grpc-operator"
"""Owner of every applied field. Never change it: fields of another manager are not removed."""

HANDOVER_FIELD_MANAGER = "grpc-operator-handover"
"""Holds `replicas` for the moment between the operator giving it up and the autoscaler taking it
(Kubernetes docs, Server-Side Apply, "Transferring ownership")."""

REPAIR_FIELD_MANAGER = "grpc-operator-repair"
"""Writes what server-side apply cannot fix, and is then removed from the managed fields."""

MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"
SERVICE = "grpc.infera.dev/service"
"""Selects the pods of one GrpcService."""
GATEWAY = "grpc.infera.dev/gateway"
"""Selects the proxies of one GrpcGateway."""

APPLIED_HASH = "grpc.infera.dev/applied-hash"
"""Annotation: hash of the manifest that was last applied to this object."""

BOOTSTRAP_HASH = "grpc.infera.dev/bootstrap-hash"
"""Annotation of a proxy's pod: hash of the files it starts from."""


def service_selector(service: str) -> dict[str, str]:
    """Returns the immutable pod selector of a GrpcService."""
    return {SERVICE: service}


def selector_text(service: str) -> str:
    """Returns the selector as the scale subresource wants it."""
    return f"{SERVICE}={service}"


def of_service(service: str) -> dict[str, str]:
    """Returns the labels of every object of a GrpcService, its pods included."""
    return {NAME: service, MANAGED_BY: FIELD_MANAGER, **service_selector(service)}


def gateway_selector(gateway: str) -> dict[str, str]:
    """Returns the immutable pod selector of a GrpcGateway."""
    return {GATEWAY: gateway}


def of_gateway(gateway: str) -> dict[str, str]:
    """Returns the labels of every object of a GrpcGateway, its pods included."""
    return {NAME: gateway, MANAGED_BY: FIELD_MANAGER, **gateway_selector(gateway)}


def of_kind(kind: str) -> str:
    """Returns the label that names an object's owner of a kind."""
    return {"GrpcService": SERVICE, "GrpcGateway": GATEWAY}[kind]


def controller_uid(manifest: Mapping[str, Any]) -> str | None:
    """Returns the uid of the object that controls this one, if any does."""
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return None
