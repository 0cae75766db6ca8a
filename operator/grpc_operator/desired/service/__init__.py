"""GrpcService -> Kubernetes objects: the table of contents, in the order they are applied.

Pure: no cluster, clock, randomness or environment. One file an object; every call makes fresh
dictionaries that share nothing.
"""

from collections.abc import Collection

from grpc_operator import names
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.desired import pod_policy
from grpc_operator.desired.common import (
    pod_disruption_budget,
    resource_checks,
    service_account,
)
from grpc_operator.desired.common.metadata import stamped
from grpc_operator.desired.overlay import merge, rules
from grpc_operator.desired.service import (
    client_config,
    cluster_ip_service,
    deployment,
    headless_service,
    horizontal_pod_autoscaler,
)
from grpc_operator.desired.service import (
    layout as layouts,
)
from grpc_operator.desired.service.layout import Layout
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest

__all__ = ["build", "check"]


_CHART_VALUE = "podPolicy.services.allow"


def build(
    service: GrpcService,
    *,
    layout: Layout | None = None,
    cluster_domain: str = "cluster.local",
    pods_may: Collection[Allowance] = (),
    account_is_allowed: bool = False,
) -> list[Manifest]:
    """Returns every object of a GrpcService, in the order in which they are applied.

    What pods need comes before the Deployment. Each carries the annotation
    ``labels.APPLIED_HASH``: a hash of everything else in it.

    Args:
        service: The service, as the API server accepted it.
        layout: Its revisions; those of a new service when unset.
        cluster_domain: DNS domain of the cluster, without dots at its ends.
        pods_may: What the administrator allows the pods to ask for.
        account_is_allowed: Whether ``spec.serviceAccountName`` allows its pods to run as it.

    Raises:
        InvalidSpecError: The spec asks for what it must not, which the CRD's schema cannot see.
            Names every problem.
    """
    check(service)
    spec = service.spec
    layout = layout or layouts.new(service)
    workload = deployment.build(service, layout, account_is_allowed=account_is_allowed)
    own = None if spec.service_account_name else names.service_workload(service.metadata.name)
    account = spec.service_account_name if account_is_allowed else own
    pod_policy.check(workload, account, pods_may, _CHART_VALUE, _fields(spec))
    manifests = [
        *_own_account(service),
        client_config.build(service, cluster_domain),
        headless_service.build(service, layout.stable_pods),
        *headless_service.of_revisions(service, layout.headless),
        cluster_ip_service.build(service, layout.stable_pods),
        *([workload] if layout.is_applied else ()),
    ]
    if pod_disruption_budget.wanted(spec):
        manifests.append(pod_disruption_budget.build(service))
    if spec.autoscaling is not None:
        manifests.append(horizontal_pod_autoscaler.build(service, spec.autoscaling, layout.stable))
    return [stamped(manifest) for manifest in manifests]


def check(service: GrpcService) -> None:
    """Checks that objects can be built.

    Raises:
        InvalidSpecError: The spec has values that the CRD's schema cannot see are wrong.
    """
    spec = service.spec
    owned = rules.of_service(spec)
    problems = [
        *merge.problems(spec.pod_template, owned),
        *resource_checks.problems(spec.resources),
        *resource_checks.autoscaling_problems(spec.autoscaling, spec.resources),
    ]
    if problems:
        raise InvalidSpecError(problems)


def _fields(spec: GrpcServiceSpec) -> dict[str, str]:
    """Returns which fields of the pod template come from fields of their own."""
    container = f"spec.containers[name={names.CONTAINER}]"
    fields = {
        f"{container}.{name}Probe": f"spec.probes.{name}"
        for name, probe in spec.probes.by_name().items()
        if probe.mode == "Enabled"
    }
    if spec.service_account_name is not None:
        fields["spec.serviceAccountName"] = "spec.serviceAccountName"
    return fields


def _own_account(service: GrpcService) -> list[Manifest]:
    if service.spec.service_account_name is not None:
        return []
    given = service.spec.service_account
    return [service_account.build(service, given.annotations if given else None)]
