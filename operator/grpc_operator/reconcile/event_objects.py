"""Kubernetes Events (events.k8s.io/v1) about a GrpcService or GrpcGateway."""

from grpc_operator import hashing
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import EVENTS, Manifest
from grpc_operator.status.events import Event

_MAX_NOTE_BYTES = 1000
"""Bytes of a note; the API allows 1024 (events.k8s.io/v1)."""


def event_object(regarding: Manifest, event: Event, now: str) -> Manifest:
    """Returns the Event about an object as the API server takes it.

    Its name is a hash of its content, so that an identical Event is not created twice.
    """
    metadata = regarding["metadata"]
    text = "\n".join((metadata["uid"], now, event.reason, event.message))
    digest = hashing.digest(text.encode())
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{digest}"},
        "eventTime": now.replace("Z", ".000000Z"),
        "type": event.type,
        "reason": str(event.reason),
        "action": "Reconcile",
        "note": event.message.encode()[:_MAX_NOTE_BYTES].decode(errors="ignore"),
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
