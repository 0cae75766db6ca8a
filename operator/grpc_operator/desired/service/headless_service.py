"""The Service without a cluster IP: its DNS name answers with every ready pod.

Clients that balance themselves (``dns:///`` with round_robin) resolve it. Pods that are not ready
are left out of DNS: ``publishNotReadyAddresses`` keeps its default, false.
"""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(service: GrpcService) -> Manifest:
    """Returns the headless Service."""
    name = service.metadata.name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, names.headless_service(name)),
        "spec": {
            "clusterIP": "None",
            "selector": labels.service_selector(name),
            "ports": [grpc_port(service)],
        },
    }


def grpc_port(service: GrpcService) -> dict[str, Any]:
    """Returns the gRPC port of either Service.

    ``appProtocol`` says to proxies that it is HTTP/2 without TLS (KEP-3726).
    """
    return {
        "name": names.CONTAINER,
        "port": service.spec.port,
        "protocol": "TCP",
        "targetPort": names.CONTAINER,
        "appProtocol": "kubernetes.io/h2c",
    }
