"""Whether a ServiceAccount of others may be used for the pods of a GrpcService.

Whoever may create GrpcServices need not be allowed to create pods, and could get the rights of any
ServiceAccount in the namespace by the rights of the operator. So the account itself has to name the
GrpcServices, in an annotation that only those can write who may change the account.
"""

from collections.abc import Collection

from grpc_operator import labels
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.kube.cluster import Cluster
from grpc_operator.resources import SERVICE_ACCOUNTS, Manifest

_FIELD = "spec.serviceAccountName"


async def is_allowed(
    cluster: Cluster, service: GrpcService, pods_may: Collection[Allowance]
) -> bool:
    """Returns whether ``spec.serviceAccountName`` is set and allows the pods to run as it.

    Args:
        cluster: Where to read it.
        service: The service.
        pods_may: What the administrator allows all pods; perhaps every ServiceAccount.

    Raises:
        InvalidSpecError: It does not exist, or does not allow them.
        ClusterError: It could not be read.
    """
    name = service.spec.service_account_name
    if name is None or {Allowance.SERVICE_ACCOUNT_NAME, Allowance.ALL} & {*pods_may}:
        return False
    meta = service.metadata
    account = await cluster.get(SERVICE_ACCOUNTS, meta.namespace, name)
    problem = _problem(account, name, meta.name)
    if problem:
        raise InvalidSpecError(
            [Problem(_FIELD, problem)], reason=Reason.SERVICE_ACCOUNT_NOT_ALLOWED
        )
    return True


def _problem(account: Manifest | None, name: str, service: str) -> str:
    if account is None:
        return f"ServiceAccount {name} does not exist in this namespace; create it"
    given = (account["metadata"].get("annotations") or {}).get(labels.ALLOWED_GRPC_SERVICES, "")
    if {"*", service} & {entry.strip() for entry in given.split(",")}:
        return ""
    return (
        f"ServiceAccount {name} does not allow it; whoever may change the account allows it by"
        f" kubectl annotate serviceaccount {name} {labels.ALLOWED_GRPC_SERVICES}={service}"
    )
