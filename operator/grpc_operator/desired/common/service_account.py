"""The ServiceAccount that the pods run as: an identity without rights and without a token."""

from grpc_operator.desired.common.metadata import Owner, metadata, workload
from grpc_operator.resources import Manifest


def build(owner: Owner) -> Manifest:
    """Returns the ServiceAccount.

    It exists also when the overlay names another one, so that switching there and back never
    leaves a pod without its account.
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(owner, workload(owner)),
        "automountServiceAccountToken": False,
    }
