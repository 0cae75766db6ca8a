"""The Deployment: how many pods, how they are replaced, and when a rollout counts as stuck."""

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.common.workload import deployment_spec
from grpc_operator.desired.service import pod_template, probes
from grpc_operator.desired.service.layout import Layout
from grpc_operator.resources import Manifest

_SCHEDULE_AND_PULL_SECONDS = 300
"""Time a new pod may take to find a node and fetch its image, on top of its startup probe."""


def build(service: GrpcService, layout: Layout, *, account_is_allowed: bool = False) -> Manifest:
    """Returns the Deployment of the latest revision.

    ``progressDeadlineSeconds`` restarts with every pod that becomes ready, so it must outlast the
    slowest healthy pod: scheduling, image pull, then all of its startup probe. A shorter one would
    report slow starts as failed rollouts.

    Args:
        service: The service.
        layout: Its revisions.
        account_is_allowed: Whether ``spec.serviceAccountName`` allows its pods to run as it.
    """
    deadline = _SCHEDULE_AND_PULL_SECONDS + probes.startup_budget_seconds(service.spec.probes)
    revision = layout.latest
    template = pod_template.build(service, revision.selector)
    meta = metadata(service, revision.name)
    meta["annotations"] = {labels.REVISION_HASH: revision.digest}
    if account_is_allowed:
        meta["annotations"][labels.SERVICE_ACCOUNT] = service.spec.service_account_name
    spec = deployment_spec(service.spec, dict(revision.selector), template, deadline)
    if layout.replicas is not None:
        spec["replicas"] = layout.replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": spec,
    }
