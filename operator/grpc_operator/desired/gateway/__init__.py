"""GrpcGateway -> Kubernetes objects: the table of contents, in the order they are applied.

Pure, as ``desired`` is. The bootstrap is the one text that is rendered from a template; everything
else that Envoy gets are messages (``gateway.envoy``).
"""

from grpc_operator.api import GrpcGateway
from grpc_operator.desired import pod_policy
from grpc_operator.desired.common import (
    pod_disruption_budget,
    resource_checks,
    service_account,
)
from grpc_operator.desired.common.metadata import stamped
from grpc_operator.desired.gateway import (
    bootstrap,
    bootstrap_config_map,
    deployment,
    horizontal_pod_autoscaler,
    listener_ports,
    pod_template,
    service,
)
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.desired.overlay import merge
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest

__all__ = ["GatewaySettings", "build"]


_CHART_VALUE = "podPolicy.gateways.allow"


def build(gateway: GrpcGateway, settings: GatewaySettings) -> list[Manifest]:
    """Returns every object of a GrpcGateway, in the order in which they are applied.

    What pods need comes before the Deployment. Each carries the annotation
    ``labels.APPLIED_HASH``: a hash of everything else in it.

    Args:
        gateway: The gateway, as the API server accepted it.
        settings: The operator's own configuration.

    Raises:
        InvalidSpecError: ``spec.listeners`` or ``spec.podTemplate`` ask for what they must not,
            which the CRD's schema cannot see. Names every problem.
    """
    spec = gateway.spec
    problems = [
        *listener_ports.problems(spec),
        *merge.problems(spec.pod_template, pod_template.owned(spec)),
        *resource_checks.problems(spec.resources),
    ]
    if problems:
        raise InvalidSpecError(problems)
    files = bootstrap.files(spec, settings)
    workload = deployment.build(gateway, settings, files)
    pod_policy.check(workload, workload["metadata"]["name"], settings.pods_may, _CHART_VALUE)
    manifests = [
        service_account.build(gateway),
        bootstrap_config_map.build(gateway, files | bootstrap.watched_files(settings)),
        service.build(gateway),
        workload,
    ]
    if pod_disruption_budget.wanted(spec):
        manifests.append(pod_disruption_budget.build(gateway))
    if spec.autoscaling is not None:
        manifests.append(horizontal_pod_autoscaler.build(gateway, spec.autoscaling))
    return [stamped(manifest) for manifest in manifests]
