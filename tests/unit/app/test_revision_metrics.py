"""Series of revisions, from statuses and call statistics."""

from prometheus_client import CollectorRegistry, generate_latest

from grpc_operator.app.revision_metrics import RevisionMetrics
from grpc_operator.engine.store import Store
from grpc_operator.resources import GRPC_SERVICES, service_key
from grpc_operator.rollout.calls import RevisionCalls

CALLS = {
    service_key("shop", "users"): {
        "users": RevisionCalls(90, 1, 3),
        "users-7f3a9c2e": RevisionCalls(8, 2, None),
    }
}


def lines(*, is_leader: bool = True) -> set[str]:
    """Returns the series of a canary."""
    store = Store()
    metadata = {"namespace": "shop", "name": "users", "uid": "u", "resourceVersion": "1"}
    revisions = [
        {"name": "users", "role": "Stable", "percent": 90},
        {"name": "users-7f3a9c2e", "role": "Candidate", "percent": 10},
        {"name": "users-00000000", "role": "Retired"},
    ]
    store.put(GRPC_SERVICES, {"metadata": metadata, "status": {"revisions": revisions}})
    registry = CollectorRegistry()
    registry.register(RevisionMetrics(store, lambda: CALLS, lambda: is_leader))
    text = generate_latest(registry).decode()
    return {line for line in text.splitlines() if not line.startswith("#")}


def test_a_board_can_show_a_canary() -> None:
    assert lines() == {
        _line("percent", 90, revision="users", role="Stable"),
        _line("percent", 10, revision="users-7f3a9c2e", role="Candidate"),
        _line("attempts_total", 90, result="ok", revision="users"),
        _line("attempts_total", 1, result="failed", revision="users"),
        _line("attempts_total", 8, result="ok", revision="users-7f3a9c2e"),
        _line("attempts_total", 2, result="failed", revision="users-7f3a9c2e"),
        _line("calls_in_flight", 3, revision="users"),
    }


def _line(name: str, value: float, **labels: str) -> str:
    words = {"name": "users", "namespace": "shop", **labels}
    shown = ",".join(f'{key}="{text}"' for key, text in words.items())
    return f"grpcservice_revision_{name}{{{shown}}} {value:.1f}"


def test_only_the_leader_has_them() -> None:
    """Sums over replicas would count each call twice."""
    assert lines(is_leader=False) == set()
