"""Kubernetes Events (events.k8s.io/v1) about a GrpcService."""

from grpc_operator import hashing
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import EVENTS, Manifest
from grpc_operator.status.events import Event

_MOST_WORDS = 1000
"""Characters of a note; the API allows 1024 bytes (events.k8s.io/v1)."""


def event(regarding: Manifest, note: Event, now: str) -> Manifest:
    """Returns the Event that tells a note about an object.

    Its name is made from what it says, so that saying it again at the same time adds nothing.
    """
    metadata = regarding["metadata"]
    text = "\n".join((metadata["uid"], now, note.reason, note.message))
    digest = hashing.digest(text.encode())
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{digest}"},
        "eventTime": now.replace("Z", ".000000Z"),
        "type": note.type,
        "reason": str(note.reason),
        "action": "Reconcile",
        "note": note.message.encode()[:_MOST_WORDS].decode(errors="ignore"),
        "regarding": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "reportingController": "grpc.infera.dev/grpc-operator",
        "reportingInstance": FIELD_MANAGER,
    }
