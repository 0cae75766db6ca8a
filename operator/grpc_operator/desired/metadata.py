"""What all objects share: metadata, the owner, and the hash of what was applied."""

import hashlib
import json
from typing import Any

from grpc_operator import labels
from grpc_operator.api import API_VERSION, GrpcService

Manifest = dict[str, Any]
"""A Kubernetes object as the API server reads and writes it."""

_HASH_LENGTH = 16
"""Hex digits kept of sha256: 64 bits tell two versions of one object apart."""


def metadata(service: GrpcService, name: str) -> dict[str, Any]:
    """Returns the metadata of an object that belongs to a GrpcService.

    The owner reference lets Kubernetes' garbage collector delete the object with its owner;
    ``blockOwnerDeletion`` needs the right to update ``grpcservices/finalizers`` where the
    admission plugin OwnerReferencesPermissionEnforcement is on.
    """
    return {
        "name": name,
        "namespace": service.metadata.namespace,
        "labels": labels.of(service.metadata.name),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": "GrpcService",
                "name": service.metadata.name,
                "uid": service.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def canonical_json(value: Any) -> str:
    """Returns JSON that is the same for equal values: sorted keys, no spaces, plain UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def stamped(manifest: Manifest) -> Manifest:
    """Returns the manifest with the annotation ``labels.APPLIED_HASH``, a hash of all the rest."""
    digest = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()[:_HASH_LENGTH]
    meta = manifest["metadata"]
    annotations = {**meta.get("annotations", {}), labels.APPLIED_HASH: digest}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}
