"""The Service without a cluster IP: its DNS name answers with every ready pod.

Clients that balance themselves (``dns:///`` with round_robin) resolve it. Pods that are not ready
are left out of DNS: ``publishNotReadyAddresses`` keeps its default, false.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(service: GrpcService, pods: Mapping[str, str] | None = None) -> Manifest:
    """Returns the headless Service.

    Args:
        service: The service.
        pods: Labels of the pods that it selects; those of all its pods when unset.
    """
    name = service.metadata.name
    return _headless(service, names.headless_service(name), pods or labels.service_selector(name))


def of_revisions(
    service: GrpcService, headless: Mapping[str, Mapping[str, str]]
) -> Iterator[Manifest]:
    """Yields the headless Service of each revision, from which the gateway has its endpoints.

    Args:
        service: The service.
        headless: The pod selector of each revision.
    """
    for revision, pods in headless.items():
        name = names.revision_service(service.metadata.name, revision)
        made = _headless(service, name, pods)
        made["metadata"]["labels"][labels.REVISION] = revision
        yield made


def _headless(service: GrpcService, name: str, pods: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, name),
        "spec": {"clusterIP": "None", "selector": {**pods}, "ports": [grpc_port(service)]},
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
