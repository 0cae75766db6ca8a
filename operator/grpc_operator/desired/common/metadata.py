"""What all objects share: metadata, the owner, and the hash of what was applied."""

from typing import Any

from grpc_operator import hashing, labels, names
from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.resources import Manifest

Owner = GrpcService | GrpcGateway


def workload(owner: Owner) -> str:
    """Returns the name of the Deployment, ServiceAccount, budget and autoscaler of an owner."""
    of = names.gateway_workload if isinstance(owner, GrpcGateway) else names.service_workload
    return of(owner.metadata.name)


def selector(owner: Owner) -> dict[str, str]:
    """Returns the immutable labels by which the pods of an owner are found."""
    of = labels.gateway_selector if isinstance(owner, GrpcGateway) else labels.service_selector
    return of(owner.metadata.name)


def pod_labels(owner: Owner) -> dict[str, str]:
    """Returns the labels of every object of an owner, its pods included."""
    of = labels.of_gateway if isinstance(owner, GrpcGateway) else labels.of_service
    return of(owner.metadata.name)


def metadata(owner: Owner, name: str) -> dict[str, Any]:
    """Returns the metadata of an object that belongs to a GrpcService or a GrpcGateway.

    The owner reference lets Kubernetes' garbage collector delete the object with its owner;
    ``blockOwnerDeletion`` needs the right to update the owner's ``finalizers`` where the
    admission plugin OwnerReferencesPermissionEnforcement is on.
    """
    meta = owner.metadata
    return {
        "name": name,
        "namespace": meta.namespace,
        "labels": pod_labels(owner),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": type(owner).__name__,
                "name": meta.name,
                "uid": meta.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def stamped(manifest: Manifest) -> Manifest:
    """Returns the manifest with the annotation ``labels.APPLIED_HASH``, a hash of all the rest."""
    digest = hashing.digest(hashing.canonical_json(manifest).encode())
    meta = manifest["metadata"]
    annotations = {**meta.get("annotations", {}), labels.APPLIED_HASH: digest}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}
