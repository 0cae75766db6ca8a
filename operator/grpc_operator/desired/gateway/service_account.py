"""The ServiceAccount the proxies run as: an identity without rights and without a token."""

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway) -> Manifest:
    """Returns the ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(gateway, names.gateway_workload(gateway.metadata.name)),
        "automountServiceAccountToken": False,
    }
