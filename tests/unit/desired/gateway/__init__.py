"""Tests of ``grpc_operator.desired.gateway``."""

from typing import Any

from grpc_operator.api import GrpcGateway
from grpc_operator.desired.gateway import GatewaySettings

SETTINGS = GatewaySettings(
    image="docker.io/envoyproxy/envoy:v1.40.0",
    image_pull_policy=None,
    xds_host="grpc-operator.grpc-system.svc.cluster.local",
    xds_port=18000,
    xds_ca="-----BEGIN CERTIFICATE-----\n",
)


def gateway(**spec: Any) -> GrpcGateway:
    """Returns a GrpcGateway ``default`` with these fields, written as in YAML."""
    return GrpcGateway.parse(
        {
            "metadata": {"name": "default", "namespace": "edge", "uid": "u-1", "generation": 1},
            "spec": spec,
        }
    )
