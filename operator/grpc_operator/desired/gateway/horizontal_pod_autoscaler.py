"""The HorizontalPodAutoscaler (autoscaling/v2) over the proxies."""

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.grpc_gateway import GatewayAutoscaling
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.service.horizontal_pod_autoscaler import utilization
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway, autoscaling: GatewayAutoscaling) -> Manifest:
    """Returns the autoscaler."""
    name = names.gateway_workload(gateway.metadata.name)
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(gateway, name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": autoscaling.min_replicas,
            "maxReplicas": autoscaling.max_replicas,
            "metrics": [utilization(names.ENVOY, "cpu", autoscaling.cpu_utilization_percent)],
        },
    }
