"""Kubernetes Events (events.k8s.io/v1) about a GrpcService or GrpcGateway."""

import re

from grpc_operator import hashing, limits
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import EVENTS, Manifest
from grpc_operator.status.events import Event

_OF_ONE_TIME = re.compile(r"\bPod \S+:|; restarted at least .*|; last words: .*|\d+", re.DOTALL)
"""What differs although the problem is the same: the pod, how often, the last words, numbers."""


def event_object(regarding: Manifest, event: Event, now: str) -> Manifest:
    """Returns the Event about an object as the API server takes it.

    Its name is a hash of what it is about, so that the same problem is one Event, which is counted.
    """
    metadata = regarding["metadata"]
    about = (metadata["uid"], str(metadata["generation"]), event.reason, _subject(event.message))
    digest = hashing.digest("\n".join(about).encode())
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{digest}"},
        "eventTime": micro_time(now),
        "type": event.type,
        "reason": str(event.reason),
        "action": "Reconcile",
        "note": event.message.encode()[: limits.EVENT_NOTE.value].decode(errors="ignore"),
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


def repeated(event: Manifest, now: str) -> Manifest:
    """Returns the change of an Event that exists when what it is about has happened again."""
    count = (event.get("series") or {}).get("count", 1) + 1
    return {"series": {"count": count, "lastObservedTime": micro_time(now)}}


def micro_time(seconds: str) -> str:
    """Returns a time of whole seconds (RFC 3339) as a MicroTime."""
    return seconds.replace("Z", ".000000Z")


def _subject(message: str) -> str:
    """Returns a message without what differs although the problem is the same."""
    return _OF_ONE_TIME.sub("", message)
