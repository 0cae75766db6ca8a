"""The ServiceAccount that the pods run as: an identity without rights and without a token."""

from collections.abc import Mapping

from grpc_operator.desired.common.metadata import Owner, metadata, workload
from grpc_operator.resources import Manifest


def build(owner: Owner, annotations: Mapping[str, str] | None = None) -> Manifest:
    """Returns the ServiceAccount.

    It exists also when the overlay names another one, so that switching there and back never
    leaves a pod without its account.
    """
    meta = metadata(owner, workload(owner))
    if annotations:
        meta["annotations"] = {**annotations}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta,
        "automountServiceAccountToken": False,
    }
