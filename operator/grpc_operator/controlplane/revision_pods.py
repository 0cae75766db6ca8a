"""Which revision of a GrpcService a pod belongs to, and whose pods a Service selects."""

from collections.abc import Iterable
from typing import Any

from grpc_operator import labels, names
from grpc_operator.resources import Manifest

TEMPLATE_HASH = "pod-template-hash"
"""Label of the ReplicaSets of a Deployment and of their pods."""


def revision_of(pod: Manifest, service: str) -> str:
    """Returns the name of the revision that a pod belongs to.

    It is the Deployment whose ReplicaSet controls the pod: the Deployment controller names a
    ReplicaSet ``DEPLOYMENT-HASH``, and a label of a running pod can be changed by hand. Of a pod
    that no ReplicaSet controls, the label counts. Pods of operators without revisions have none:
    they belong to the revision that has the name of the GrpcService.

    Args:
        pod: A pod of the GrpcService.
        service: Name of the GrpcService.
    """
    metadata = pod["metadata"]
    given: dict[str, Any] = metadata.get("labels") or {}
    digest = given.get(TEMPLATE_HASH)
    for reference in metadata.get("ownerReferences") or ():
        if digest and reference.get("controller") and reference.get("kind") == "ReplicaSet":
            return str(reference["name"]).removesuffix(f"-{digest}")
    return str(given.get(labels.REVISION) or service)


def selected_by(headless: Manifest, service: str) -> str:
    """Returns the revision whose pods the headless Service of a GrpcService selects.

    Args:
        headless: The Service.
        service: Name of the GrpcService: that of the revision without a label of its own.
    """
    selector: dict[str, Any] = headless["spec"].get("selector") or {}
    return str(selector.get(labels.REVISION) or service)


def of_revision(pods: Iterable[Manifest], service: str, revision: str) -> list[Manifest]:
    """Returns the pods of a GrpcService that belong to one of its revisions."""
    return [pod for pod in pods if revision_of(pod, service) == revision]


def grpc_port(pod: Manifest) -> int | None:
    """Returns the port that the server of a pod listens on: an older pod may have another one."""
    ports = (
        port["containerPort"]
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("name") == names.CONTAINER
    )
    return next(ports, None)
