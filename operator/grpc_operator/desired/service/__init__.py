"""GrpcService -> Kubernetes objects: the table of contents, in the order they are applied.

Pure: no cluster, clock, randomness or environment. One file an object; every call makes fresh
dictionaries that share nothing.
"""

from grpc_operator.api import GrpcService
from grpc_operator.desired.common import pod_disruption_budget, service_account
from grpc_operator.desired.common.metadata import stamped
from grpc_operator.desired.overlay import merge, rules
from grpc_operator.desired.service import (
    client_config,
    cluster_ip_service,
    deployment,
    headless_service,
    horizontal_pod_autoscaler,
)
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest

__all__ = ["build"]


def build(service: GrpcService, *, cluster_domain: str = "cluster.local") -> list[Manifest]:
    """Returns every object of a GrpcService, in the order in which they are applied.

    What pods need comes before the Deployment. Each carries the annotation
    ``labels.APPLIED_HASH``: a hash of everything else in it.

    Args:
        service: The service, as the API server accepted it.
        cluster_domain: DNS domain of the cluster, without dots at its ends.

    Raises:
        InvalidSpecError: ``spec.podTemplate`` asks for what it must not, which the CRD's schema
            cannot see. Names every problem.
    """
    owned = rules.of_service(service.spec)
    problems = merge.problems(service.spec.pod_template, owned)
    if problems:
        raise InvalidSpecError(problems)
    manifests = [
        service_account.build(service),
        client_config.build(service, cluster_domain),
        headless_service.build(service),
        cluster_ip_service.build(service),
        deployment.build(service),
    ]
    if pod_disruption_budget.wanted(service.spec):
        manifests.append(pod_disruption_budget.build(service))
    if service.spec.autoscaling is not None:
        manifests.append(horizontal_pod_autoscaler.build(service, service.spec.autoscaling))
    return [stamped(manifest) for manifest in manifests]
