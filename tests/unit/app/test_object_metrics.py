"""Series of each GrpcService and GrpcGateway, from the statuses in the cache."""

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from grpc_operator.app.object_metrics import ObjectMetrics
from grpc_operator.engine.store import Store
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES


def condition(type_: str, status: str, reason: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason}


def lines(*, is_leader: bool = True, **services: dict[str, Any]) -> set[str]:
    """Returns the series of GrpcServices with these statuses."""
    store = Store()
    for number, (name, status) in enumerate(services.items(), 1):
        metadata = {
            "namespace": "shop",
            "name": name,
            "uid": name,
            "resourceVersion": str(number),
            "generation": 3,
        }
        store.put(GRPC_SERVICES, {"metadata": metadata, "status": status})
    metadata = {"namespace": "infra", "name": "default", "uid": "g", "resourceVersion": "9"}
    ready = [condition("Ready", "True", "Ready")]
    store.put(GRPC_GATEWAYS, {"metadata": metadata, "status": {"conditions": ready}})
    registry = CollectorRegistry()
    registry.register(ObjectMetrics(store, lambda: is_leader))
    text = generate_latest(registry).decode()
    return {line for line in text.splitlines() if not line.startswith("#")}


def test_an_alert_can_say_which_one_is_not_ready() -> None:
    found = lines(
        users={
            "observedGeneration": 3,
            "replicas": 2,
            "readyReplicas": 2,
            "conditions": [condition("Ready", "True", "Ready")],
        },
        orders={
            "observedGeneration": 2,
            "replicas": 2,
            "readyReplicas": 0,
            "conditions": [
                condition("Ready", "False", "ImagePullBackOff"),
                condition("Programmed", "Unknown", "Pending"),
            ],
        },
    )
    orders = 'name="orders",namespace="shop"'
    assert {
        'grpcservice_ready{name="users",namespace="shop"} 1.0',
        'grpcgateway_ready{name="default",namespace="infra"} 1.0',
        f"grpcservice_ready{{{orders}}} 0.0",
        f'grpcservice_condition{{{orders},reason="ImagePullBackOff",type="Ready"}} 0.0',
        f'grpcservice_condition{{{orders},reason="Pending",type="Programmed"}} -1.0',
        f'grpcservice_replicas{{{orders},state="wanted"}} 2.0',
        f'grpcservice_replicas{{{orders},state="ready"}} 0.0',
        f"grpcservice_generations_behind{{{orders}}} 1.0",
    } <= found


def test_one_without_a_status_is_not_ready() -> None:
    found = lines(new={})
    assert 'grpcservice_ready{name="new",namespace="shop"} 0.0' in found
    assert 'grpcservice_generations_behind{name="new",namespace="shop"} 3.0' in found


def test_only_the_leader_has_them() -> None:
    """Sums over replicas would count each object twice."""
    assert lines(is_leader=False, users={}) == set()
