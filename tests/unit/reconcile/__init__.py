"""Tests of ``grpc_operator.reconcile``: what the cluster holds is written by hand."""

from itertools import pairwise
from typing import Any

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.descriptor import load
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.engine.store import Store
from grpc_operator.resources import (
    CONFIG_MAPS,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    PODS,
    Key,
    Manifest,
    Resource,
)
from tests.unit.descriptor import by_hand, message, serialised

NAMESPACE = "shop"
USERS = Key(GRPC_SERVICES.kind, NAMESPACE, "users")
GATEWAY = Key(GRPC_GATEWAYS.kind, NAMESPACE, "default")


def owner(resource: Resource, name: str, spec: dict[str, Any], generation: int = 1) -> Manifest:
    """Returns a GrpcService or GrpcGateway as the API server returns it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "uid": f"uid-{name}",
            "generation": generation,
            "resourceVersion": str(generation),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec,
    }


def users(generation: int = 1, **spec: Any) -> Manifest:
    """Returns the GrpcService ``users``, which requests the gateway ``default``."""
    return owner(GRPC_SERVICES, "users", {"image": "users:1", "gateway": {}} | spec, generation)


def large_set(messages: int = 3000) -> bytes:
    """Returns a good FileDescriptorSet that takes a while to read."""
    names = [f"M{number}" for number in range(messages)]
    chain = [message(name, next=f".p.{after}") for name, after in pairwise(names)]
    return serialised(by_hand(message(first=".p.M0"), *chain, message(names[-1])))


def pinned(service: Manifest, data: bytes, version: int = 1) -> Manifest:
    """Returns the ConfigMap that pins a set for a service."""
    made = descriptor_config_map.build(
        GrpcService.parse(service), Pinned(data, "Inline", f"revision-{version}")
    )
    made["metadata"] |= {"uid": f"uid-of-{version}", "resourceVersion": str(version)}
    return made


def cluster(*services: Manifest) -> Store:
    """Returns a store with a gateway, services, and the stored descriptor of each of them."""
    store = Store()
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {}))
    data = load(serialised(by_hand(message()))).data
    for service in services:
        store.put(GRPC_SERVICES, service)
        store.put(CONFIG_MAPS, pinned(service, data))
    return store


def put_proxy(
    store: Store, name: str, version: int = 1, *, ready: bool = True, address: str = "10.0.0.1"
) -> None:
    """Puts a pod of the gateway into a store."""
    truth = "True" if ready else "False"
    pod = {
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            "labels": labels.of_gateway(GATEWAY.name),
        },
        "status": {"podIP": address, "conditions": [{"type": "Ready", "status": truth}]},
    }
    store.put(PODS, pod)
