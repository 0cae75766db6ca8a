"""The ServiceAccount the pods run as: an identity without rights and without a token."""

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(service: GrpcService) -> Manifest:
    """Returns the ServiceAccount.

    It exists also when the overlay names another one, so that switching there and back never
    leaves a pod without its account.
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(service, names.workload(service.metadata.name)),
        "automountServiceAccountToken": False,
    }
