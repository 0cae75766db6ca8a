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

REVISION = "grpc.infera.dev/revision"
"""Selects the pods of one revision of a GrpcService: the name of its Deployment. Deployments of
operators without revisions do not have it."""

REVISION_HASH = "grpc.infera.dev/revision-hash"
"""Annotation of a Deployment: hash of the pod template that makes the revision."""

ROLLOUT_COMMAND = "grpc.infera.dev/rollout"
"""Annotation of a GrpcService: what to do with a revision, such as ``promote users-7f3a9c2e``."""

APPLIED_HASH = "grpc.infera.dev/applied-hash"
"""Annotation: hash of the manifest that was last applied to this object."""

ALLOWED_GRPC_SERVICES = "grpc.infera.dev/allowed-grpcservices"
"""Annotation of a ServiceAccount, by its owner: names of the GrpcServices whose pods may run as it,
separated by commas, or ``*``."""

SERVICE_ACCOUNT = "grpc.infera.dev/service-account"
"""Annotation of a Deployment: the ServiceAccount of others that allows its pods to run as it."""

BOOTSTRAP_HASH = "grpc.infera.dev/bootstrap-hash"
"""Annotation of a proxy's pod: hash of the files it starts from."""


def service_selector(service: str) -> dict[str, str]:
    """Returns the immutable pod selector of a GrpcService."""
    return {SERVICE: service}


def revision_selector(service: str, revision: str) -> dict[str, str]:
    """Returns the immutable pod selector of a revision of a GrpcService."""
    return {SERVICE: service, REVISION: revision}


def selector_text(service: str, revision: str | None = None) -> str:
    """Returns the selector as the scale subresource wants it.

    Args:
        service: Name of the GrpcService.
        revision: The revision whose pods count; those of the service's own name have the label
            only if no operator without revisions has made them.
    """
    if revision is None or revision == service:
        return f"{SERVICE}={service}"
    return f"{SERVICE}={service},{REVISION}={revision}"


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
