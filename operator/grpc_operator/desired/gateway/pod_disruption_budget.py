"""The PodDisruptionBudget: how many proxies a node drain may take away at a time."""

from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.service import pod_disruption_budget
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway) -> Manifest:
    """Returns the PodDisruptionBudget."""
    name = gateway.metadata.name
    return pod_disruption_budget.manifest(
        metadata(gateway, names.gateway_workload(name)),
        labels.gateway_selector(name),
        gateway.spec.pod_disruption_budget,
    )
