"""A change costs a proxy's stream the same with few services and with many: counts, not times."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Change,
    Resource,
    Snapshot,
)
from grpc_operator.resources import service_key
from grpc_operator.xds.responses import kind
from grpc_operator.xds.subscription import Subscription
from tests.unit.xds.proxy import Proxy, snapshot

TYPES = (CLUSTER, ENDPOINTS, SCOPE, ROUTES)


def named(names: Iterable[str], **newer: str) -> Snapshot:
    """Returns the snapshot of some services."""
    versions = dict.fromkeys(names, "1") | newer
    keys = {name: service_key("ns", name) for name in versions}
    return snapshot(
        {LISTENER: {"http": "1"}, **dict.fromkeys(TYPES, versions)},
        {keys[name]: version for name, version in versions.items()},
        owners=keys,
    )


def having(has: Snapshot) -> Proxy:
    """Returns a proxy that has all of a snapshot."""
    proxy = Proxy()
    proxy.stream.publish(has)
    for type_url, resources in has.resources.items():
        versions = {name: each.version for name, each in resources.items()}
        names = versions if type_url in {ENDPOINTS, ROUTES} else ()
        proxy.subscribe(type_url, *names, has=versions)
    assert proxy.responses() == []
    return proxy


@pytest.mark.parametrize("count", [2, 200])
def test_what_a_change_compares_does_not_grow(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only what differs is sent, and reported."""
    first = named(f"s{number}" for number in range(count))
    proxy = having(first)
    assert len(proxy.stream.concerned()) == count
    compared: list[str] = []
    original = Subscription.is_stale

    def counting(self: Subscription, resource: Resource) -> bool:
        compared.append(resource.name)
        return original(self, resource)

    monkeypatch.setattr(Subscription, "is_stale", counting)
    key = service_key("ns", "s1")
    newer = {"s1": "2"}
    made = named(first.resources[ROUTES], **newer)
    only_routes = replace(
        made,
        resources={**first.resources, ROUTES: made.resources[ROUTES]},
        change=Change(first.version, {ROUTES: {"s1"}}, {key}),
    )
    proxy.stream.publish(only_routes)

    assert proxy.responses() == [(kind(ROUTES), newer, ())]
    proxy.ack()
    assert proxy.responses() == []
    assert proxy.stream.concerned() == {key}
    assert {*compared} == {"s1"}
    assert len(compared) <= 3


def test_a_change_of_another_snapshot_is_not_believed() -> None:
    """A stream that has missed one compares everything."""
    proxy = having(named(["a", "b"]))
    second, third = named(["a", "b"], a="2"), named(["a", "b"], a="2", b="2")
    proxy.stream.publish(replace(third, change=Change(second.version, {ENDPOINTS: {"b"}}, set())))

    assert proxy.responses()[0] == (kind(ENDPOINTS), {"a": "2", "b": "2"}, ())
