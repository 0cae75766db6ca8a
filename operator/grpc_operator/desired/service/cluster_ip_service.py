"""The Service with a cluster IP: for clients that cannot balance, and for scraping metrics."""

from collections.abc import Mapping
from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.desired.service.headless_service import grpc_port
from grpc_operator.resources import Manifest


def build(service: GrpcService, pods: Mapping[str, str]) -> Manifest:
    """Returns the ClusterIP Service.

    Args:
        service: The service.
        pods: Labels of the pods that it selects.
    """
    name = service.metadata.name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, names.service_workload(name)),
        "spec": {
            "type": "ClusterIP",
            "selector": {**pods},
            "ports": [grpc_port(service), *_metrics_ports(service)],
        },
    }


def _metrics_ports(service: GrpcService) -> list[dict[str, Any]]:
    if service.spec.metrics is None:
        return []
    return [
        {
            "name": names.METRICS_PORT,
            "port": service.spec.metrics.port,
            "protocol": "TCP",
            "targetPort": names.METRICS_PORT,
            "appProtocol": "http",
        }
    ]
