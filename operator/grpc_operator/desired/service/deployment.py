"""The Deployment: how many pods, how they are replaced, and when a rollout counts as stuck."""

from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata, selector, workload
from grpc_operator.desired.common.workload import deployment_spec
from grpc_operator.desired.service import pod_template, probes
from grpc_operator.resources import Manifest

_SCHEDULE_AND_PULL_SECONDS = 300
"""Time a new pod may take to find a node and fetch its image, on top of its startup probe."""


def build(service: GrpcService) -> Manifest:
    """Returns the Deployment.

    ``progressDeadlineSeconds`` restarts with every pod that becomes ready, so it must outlast the
    slowest healthy pod: scheduling, image pull, then all of its startup probe. A shorter one would
    report slow starts as failed rollouts.
    """
    deadline = _SCHEDULE_AND_PULL_SECONDS + probes.startup_budget_seconds(service.spec.probes)
    template = pod_template.build(service)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(service, workload(service)),
        "spec": deployment_spec(service.spec, selector(service), template, deadline),
    }
