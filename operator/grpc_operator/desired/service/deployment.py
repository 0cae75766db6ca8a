"""The Deployment: how many pods, how they are replaced, and when a rollout counts as stuck."""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.service import pod_template, probes
from grpc_operator.resources import Manifest

_SCHEDULE_AND_PULL_SECONDS = 300
"""Time a new pod may take to find a node and fetch its image, on top of its startup probe."""


def build(service: GrpcService) -> Manifest:
    """Returns the Deployment. With autoscaling it has no ``replicas``: those are the autoscaler's.

    ``progressDeadlineSeconds`` restarts with every pod that becomes ready, so it must outlast the
    slowest healthy pod: scheduling, image pull, then all of its startup probe. A shorter one would
    report slow starts as failed rollouts.
    """
    name = service.metadata.name
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(service, names.workload(name)),
        "spec": {
            **_replicas(service.spec),
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": _SCHEDULE_AND_PULL_SECONDS
            + probes.startup_budget_seconds(service.spec.probes),
            "strategy": {
                "type": "RollingUpdate",
                # A pod leaves only when its successor is ready. The surge is a share and not one
                # pod, so a rollout takes about four waves at any size; it rounds up, never to 0.
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
            },
            "selector": {"matchLabels": labels.selector(name)},
            "template": pod_template.build(service),
        },
    }


def _replicas(spec: GrpcServiceSpec) -> dict[str, Any]:
    return {} if spec.autoscaling is not None else {"replicas": spec.replicas}
