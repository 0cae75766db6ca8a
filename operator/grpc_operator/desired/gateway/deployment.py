"""The Deployment of the proxies: how many, and how they are replaced."""

from collections.abc import Mapping
from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.gateway import pod_template
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.resources import Manifest

_PROGRESS_SECONDS = 600
"""Longest time without a new ready proxy before a rollout counts as stuck: scheduling, image pull,
and an operator that has to come back first."""


def build(gateway: GrpcGateway, settings: GatewaySettings, files: Mapping[str, str]) -> Manifest:
    """Returns the Deployment. With autoscaling it has no ``replicas``: those are the autoscaler's.

    Args:
        gateway: The gateway.
        settings: The operator's own configuration.
        files: What a proxy starts from, by file name.
    """
    name = gateway.metadata.name
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(gateway, names.gateway_workload(name)),
        "spec": {
            **_replicas(gateway.spec),
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": _PROGRESS_SECONDS,
            "strategy": {
                "type": "RollingUpdate",
                # A proxy leaves only when its successor is ready, which is when it has its whole
                # configuration. The surge rounds up, never to 0.
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
            },
            "selector": {"matchLabels": labels.gateway_selector(name)},
            "template": pod_template.build(gateway, settings, files),
        },
    }


def _replicas(spec: GrpcGatewaySpec) -> dict[str, Any]:
    return {} if spec.autoscaling is not None else {"replicas": spec.replicas}
