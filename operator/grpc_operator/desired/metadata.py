"""What all objects share: metadata, the owner, and the hash of what was applied."""

import hashlib
import json
from typing import Any

from grpc_operator import labels
from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService

Manifest = dict[str, Any]
"""A Kubernetes object as the API server reads and writes it."""

_HASH_LENGTH = 16
"""Hex digits kept of sha256: 64 bits tell two versions of one object apart."""


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


def canonical_json(value: Any) -> str:
    """Returns JSON that is the same for equal values: sorted keys, no spaces, plain UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def stamped(manifest: Manifest) -> Manifest:
    """Returns the manifest with the annotation ``labels.APPLIED_HASH``, a hash of all the rest."""
    digest = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()[:_HASH_LENGTH]
    meta = manifest["metadata"]
    annotations = {**meta.get("annotations", {}), labels.APPLIED_HASH: digest}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}
