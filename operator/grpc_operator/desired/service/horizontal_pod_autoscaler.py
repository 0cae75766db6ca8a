"""The HorizontalPodAutoscaler (autoscaling/v2) over the Deployment."""

from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.api.workload import Autoscaling
from grpc_operator.desired.common import empties
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(service: GrpcService, autoscaling: Autoscaling) -> Manifest:
    """Returns the autoscaler."""
    name = names.workload(service.metadata.name)
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": autoscaling.min_replicas,
        "maxReplicas": autoscaling.max_replicas,
        "metrics": _metrics(autoscaling),
        "behavior": autoscaling.behavior,
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(service, name),
        "spec": empties.pruned(spec),
    }


def _metrics(autoscaling: Autoscaling) -> list[dict[str, Any]]:
    targets = {
        "cpu": autoscaling.cpu_target,
        "memory": autoscaling.memory_utilization_percent,
    }
    return [
        *(
            utilization(names.CONTAINER, resource, percent)
            for resource, percent in targets.items()
            if percent
        ),
        *(autoscaling.metrics or []),
    ]


def utilization(container: str, resource: str, percent: int) -> dict[str, Any]:
    """Returns a metric that measures one container alone (KEP-1610, GA in Kubernetes 1.30).

    A metric over the whole pod fails as soon as one sidecar has no request for the resource.
    """
    return {
        "type": "ContainerResource",
        "containerResource": {
            "name": resource,
            "container": container,
            "target": {"type": "Utilization", "averageUtilization": percent},
        },
    }
