"""The Service in front of the proxies."""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.grpc_gateway import Listener
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway) -> Manifest:
    """Returns the Service. The status port is not on it: it is for the kubelet and Prometheus."""
    name, wanted = gateway.metadata.name, gateway.spec.service
    meta = metadata(gateway, names.gateway_workload(name))
    if wanted.annotations:
        meta["annotations"] = dict(wanted.annotations)
    spec: dict[str, Any] = {
        "type": wanted.type,
        "selector": labels.gateway_selector(name),
        "ports": [_port(listener) for listener in gateway.spec.listeners],
    }
    if wanted.load_balancer_class is not None:
        spec["loadBalancerClass"] = wanted.load_balancer_class
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def _port(listener: Listener) -> dict[str, Any]:
    """A listener speaks HTTP/1.1 too, but what is said about it must fit gRPC (KEP-3726)."""
    return {
        "name": listener.name,
        "port": listener.port,
        "protocol": "TCP",
        "targetPort": listener.name,
        "appProtocol": "https" if listener.tls is not None else "kubernetes.io/h2c",
    }
