"""Tests of ``grpc_operator.desired``."""

from typing import Any

from grpc_operator.api import GrpcService


def service(**spec: Any) -> GrpcService:
    """Returns a GrpcService ``users`` with these fields, written as in YAML."""
    return GrpcService.parse(
        {
            "metadata": {"name": "users", "namespace": "default", "uid": "u-1", "generation": 1},
            "spec": {"image": "user-service:0.1.0", **spec},
        }
    )


def pod_service(pod: dict[str, Any], **spec: Any) -> GrpcService:
    """Returns a GrpcService whose overlay has this pod spec."""
    return service(podTemplate={"spec": pod}, **spec)
