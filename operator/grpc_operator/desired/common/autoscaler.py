"""The HorizontalPodAutoscaler (autoscaling/v2) over a Deployment."""

from copy import deepcopy
from typing import Any

from grpc_operator.api.grpc_gateway import GatewayAutoscaling
from grpc_operator.api.workload import Autoscaling
from grpc_operator.desired.common.metadata import Owner, metadata, workload
from grpc_operator.resources import Manifest


def build(
    owner: Owner,
    autoscaling: Autoscaling | GatewayAutoscaling,
    metrics: list[dict[str, Any]],
    deployment: str | None = None,
    **more: Any,
) -> Manifest:
    """Returns the autoscaler.

    Args:
        owner: The owner of the Deployment.
        autoscaling: Its bounds.
        metrics: MetricSpecs.
        deployment: Name of the Deployment; that of the owner when unset.
        more: Further fields of its spec.
    """
    target = deployment or workload(owner)
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        "minReplicas": autoscaling.min_replicas,
        "maxReplicas": autoscaling.max_replicas,
        "metrics": metrics,
        **more,
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(owner, workload(owner)),
        "spec": {key: deepcopy(value) for key, value in spec.items() if value is not None},
    }


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
