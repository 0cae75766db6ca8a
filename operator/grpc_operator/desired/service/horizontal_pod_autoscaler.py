"""The HorizontalPodAutoscaler of a GrpcService."""

from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.api.workload import Autoscaling
from grpc_operator.desired.common import autoscaler
from grpc_operator.resources import Manifest


def build(service: GrpcService, autoscaling: Autoscaling, deployment: str) -> Manifest:
    """Returns the autoscaler of a Deployment of the service."""
    metrics = _metrics(autoscaling)
    return autoscaler.build(
        service, autoscaling, metrics, deployment, behavior=autoscaling.behavior
    )


def _metrics(autoscaling: Autoscaling) -> list[dict[str, Any]]:
    targets = {
        "cpu": autoscaling.cpu_target,
        "memory": autoscaling.memory_utilization_percent,
    }
    return [
        *(
            autoscaler.utilization(names.CONTAINER, resource, percent)
            for resource, percent in targets.items()
            if percent
        ),
        *(autoscaling.metrics or []),
    ]
