"""The Deployment of the proxies: how many, and how they are replaced."""

from collections.abc import Mapping

from grpc_operator.api import GrpcGateway
from grpc_operator.desired.common.metadata import metadata, selector, workload
from grpc_operator.desired.common.workload import deployment_spec
from grpc_operator.desired.gateway import pod_template
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.resources import Manifest

_PROGRESS_SECONDS = 600
"""Longest time without a new ready proxy before a rollout counts as stuck: scheduling, image pull,
and an operator that has to come back first."""


def build(gateway: GrpcGateway, settings: GatewaySettings, files: Mapping[str, str]) -> Manifest:
    """Returns the Deployment. A proxy is ready when it has its whole configuration.

    Args:
        gateway: The gateway.
        settings: The operator's own configuration.
        files: What a proxy starts from, by file name.
    """
    template = pod_template.build(gateway, settings, files)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(gateway, workload(gateway)),
        "spec": deployment_spec(gateway.spec, selector(gateway), template, _PROGRESS_SECONDS),
    }
