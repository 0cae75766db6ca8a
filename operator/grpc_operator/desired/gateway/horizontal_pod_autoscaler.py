"""The HorizontalPodAutoscaler of a GrpcGateway's proxies."""

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.grpc_gateway import GatewayAutoscaling
from grpc_operator.desired.common import autoscaler
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway, autoscaling: GatewayAutoscaling) -> Manifest:
    """Returns the autoscaler."""
    percent = autoscaling.cpu_utilization_percent
    metric = autoscaler.utilization(names.ENVOY, "cpu", percent)
    return autoscaler.build(gateway, autoscaling, [metric])
