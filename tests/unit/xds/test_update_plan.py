"""A running proxy gets a change in steps: make before break."""

from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE
from grpc_operator.xds.responses import kind
from grpc_operator.xds.subscription import Rejection, Subscription
from grpc_operator.xds.update_plan import plan, stale_endpoints
from tests.unit.xds.proxy import snapshot

ALL = (ROUTES, SCOPE, ENDPOINTS, LISTENER, CLUSTER)


def having(version: str, *names: str) -> dict[str, Subscription]:
    """Returns a proxy that has these names of every type."""
    return {t: Subscription(wildcard=True, applied=dict.fromkeys(names, version)) for t in ALL}


def steps(
    subscriptions: dict[str, Subscription], *names: str, stages: dict[str, int] | None = None
) -> list[dict[str, list[str]]]:
    """Returns the steps to version 2 of these names."""
    target = snapshot({t: dict.fromkeys(names, "2") for t in ALL}, stages=stages)
    for each in subscriptions.values():
        each.unsettled = {*names, *each.applied}
    return [
        {kind(t): sorted(found) for t, found in sorted(step.names.items())}
        for step in plan(subscriptions, target)
    ]


def test_clusters_then_listeners_then_routes_by_stage() -> None:
    assert steps(having("1"), "own") == [
        {"Cluster": ["own"]},
        {"Listener": ["own"]},
        {"RouteConfiguration": ["own"], "ScopedRouteConfiguration": ["own"]},
    ]


def test_routes_that_use_others_come_after_these() -> None:
    subscriptions = {t: s for t, s in having("1").items() if t in {ROUTES, SCOPE}}
    assert steps(subscriptions, "own", "table", stages={"table": 1}) == [
        {"RouteConfiguration": ["own"], "ScopedRouteConfiguration": ["own"]},
        {"RouteConfiguration": ["table"], "ScopedRouteConfiguration": ["table"]},
    ]


def test_removal_is_the_reverse() -> None:
    assert steps(having("1", "old")) == [
        {"Listener": ["old"], "ScopedRouteConfiguration": ["old"]},
        {"RouteConfiguration": ["old"]},
        {"Cluster": ["old"]},
        {"ClusterLoadAssignment": ["old"]},
    ]


def test_additions_come_before_removals() -> None:
    kinds = [[*step] for step in steps(having("1", "old"), "new")]
    assert kinds.index(["RouteConfiguration", "ScopedRouteConfiguration"]) < kinds.index(
        ["Listener", "ScopedRouteConfiguration"]
    )


def test_nothing_is_left_to_do() -> None:
    assert steps(having("2", "same"), "same") == []


def test_a_rejected_version_is_left_out() -> None:
    subscriptions = having("2", "same")
    subscriptions[ROUTES].applied["same"] = "1"
    subscriptions[ROUTES].rejected["same"] = Rejection("2", "no")
    assert steps(subscriptions, "same") == []


def test_types_without_a_subscription_are_left_out() -> None:
    assert steps({CLUSTER: Subscription(wildcard=True)}, "new") == [{"Cluster": ["new"]}]


def test_endpoints_are_compared_on_their_own() -> None:
    target = snapshot({ENDPOINTS: {"same": "1", "moved": "2", "unsubscribed": "1"}})
    subscription = Subscription(
        names={"same", "moved"},
        applied={"same": "1", "moved": "1"},
        unsettled={"same", "moved", "unsubscribed"},
    )
    assert stale_endpoints(subscription, target) == ["moved"]
