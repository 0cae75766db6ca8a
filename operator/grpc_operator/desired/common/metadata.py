"""What all objects share: metadata, the owner, and the hash of what was applied."""

from typing import Any

from grpc_operator import hashing, labels
from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.resources import Manifest


def metadata(owner: GrpcService | GrpcGateway, name: str) -> dict[str, Any]:
    """Returns the metadata of an object that belongs to a GrpcService or a GrpcGateway.

    The owner reference lets Kubernetes' garbage collector delete the object with its owner;
    ``blockOwnerDeletion`` needs the right to update the owner's ``finalizers`` where the
    admission plugin OwnerReferencesPermissionEnforcement is on.
    """
    meta = owner.metadata
    of = labels.of_gateway if isinstance(owner, GrpcGateway) else labels.of
    return {
        "name": name,
        "namespace": meta.namespace,
        "labels": of(meta.name),
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
