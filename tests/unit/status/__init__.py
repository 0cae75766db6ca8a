"""Tests of ``grpc_operator.status``: what is observed is written by hand."""

from datetime import datetime
from typing import Any

from grpc_operator.api import GrpcService
from grpc_operator.resources import Manifest
from grpc_operator.status.observed import Observed
from grpc_operator.status.pod_reports import PodReports

NOW = datetime.fromisoformat("2026-01-01T01:00:00Z")
REPORTS = PodReports(NOW)
"""Nothing is known of pods but their status; they are observed an hour after their creation."""


def deployment(  # the numbers are those of its status
    *conditions: dict[str, Any], wanted: int = 2, generation: int = 1, **status: int
) -> Manifest:
    """Returns a Deployment all of whose desired pods are available, except for what is given."""
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return {
        "metadata": {"name": "users", "namespace": "shop", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": 1,
            **counts,
            **status,
            "conditions": [{"type": "Available", "status": "True", "reason": "R"}, *conditions],
        },
    }


def observed(**given: Any) -> Observed:
    """Returns what is observed of a GrpcService that is ready, but for what is given."""
    metadata = {"name": "users", "namespace": "shop", "uid": "1", "generation": 1}
    owner = GrpcService.parse({"metadata": metadata, "spec": {"image": "users:1"}})
    given = {"deployment": deployment(), "reports": REPORTS, **given}
    return Observed(**{"owner": owner, "details": {}, **given})


def pod(
    name: str = "users-1",
    *,
    created: str = "2026-01-01T00:00:00Z",
    deleted: bool = False,
    **status: Any,
) -> Manifest:
    """Returns a pod with this status."""
    metadata = {"name": name, "creationTimestamp": created}
    if deleted:
        metadata["deletionTimestamp"] = created
    return {"metadata": metadata, "status": status}


def waiting(reason: str, message: str | None = None, **container: Any) -> list[dict[str, Any]]:
    """Returns the container statuses of a pod whose container waits."""
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return [{"name": "grpc", "state": state, **container}]
