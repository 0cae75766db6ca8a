"""From the cluster's state to what is published: when, and at what cost."""

import asyncio
from contextlib import suppress

from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.descriptor import load
from grpc_operator.engine.store import Store
from grpc_operator.gateway.snapshot import CLUSTER, Snapshot
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES, Key
from tests.unit.reconcile import GATEWAY, USERS, cluster, large_set, owner, pinned, users

OTHER = USERS._replace(name="other")


class Published:
    """Keeps what was handed to the proxies."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.news = asyncio.Event()

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Keeps a gateway's configuration."""
        assert gateway == GATEWAY
        self.snapshots.append(snapshot)
        self.news.set()

    def withdraw(self, gateway: Key) -> None:
        """Forgets it."""
        assert gateway == GATEWAY
        self.snapshots.clear()


def control_plane(store: Store, published: Published, changed: list[Key]) -> ControlPlane:
    """Returns a control plane."""
    return ControlPlane(store, published, changed.append, GATEWAY.namespace)


async def test_it_builds_again_only_when_something_changes() -> None:
    """What was built before the proxies may come is not built twice."""
    published = Published()
    store = cluster(users())
    plane = control_plane(store, published, [])
    plane.touch_all()
    await plane.build()
    running = asyncio.create_task(plane.run())

    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(published.snapshots) == 1
    published.news.clear()
    store.put(GRPC_SERVICES, users(2, replicas=0))
    plane.touch(USERS)
    await asyncio.wait_for(published.news.wait(), 5)
    assert len(published.snapshots) == 2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_everything_else_goes_on_while_pinned_sets_are_read() -> None:
    """At start there is one of every service."""
    published = Published()
    store = cluster(users())
    store.put(CONFIG_MAPS, pinned(users(), load(large_set()).data, 2))
    plane = control_plane(store, published, [])
    plane.touch_all()
    building = asyncio.create_task(plane.build())

    await asyncio.sleep(0)
    assert not building.done()
    # What comes meanwhile is part of it, its set included.
    other = owner(GRPC_SERVICES, "other", {"image": "other:1", "gateway": {}})
    store.put(GRPC_SERVICES, other)
    store.put(CONFIG_MAPS, pinned(other, load(large_set(2)).data))
    plane.touch(OTHER)
    await building
    assert published.snapshots[-1].resources[CLUSTER].keys() == {"shop/users", "shop/other"}


async def test_a_pinned_set_is_read_once() -> None:
    """A change of what has nothing to do with it does not read it again."""
    store = cluster(users())
    plane = control_plane(store, Published(), [])
    plane.touch_all()
    await plane.build()
    first = plane.edge(USERS)
    store.put(GRPC_SERVICES, users(2, replicas=0))
    plane.touch(USERS)
    await plane.build()
    second = plane.edge(USERS)

    assert first is not None
    assert second is not None
    assert (first.generation, second.generation) == (1, 2)
    assert first.descriptor is second.descriptor is not None


async def test_a_broken_pinned_set_is_named() -> None:
    """Somebody has changed the ConfigMap: what was served before goes on."""
    store = cluster(users())
    plane = control_plane(store, Published(), [])
    plane.touch_all()
    await plane.build()
    store.put(CONFIG_MAPS, pinned(users(), b"\x0a\x00", 2))
    plane.touch(USERS)
    await plane.build()
    edge = plane.edge(USERS)

    assert edge is not None
    assert edge.invalid is not None
    assert edge.invalid.reason == "InvalidDescriptor"
    assert edge.attachment is not None
    assert [api.name for api in edge.attachment.apis] == ["p.S"]


async def test_a_gateway_is_known_as_it_was_built() -> None:
    """Nobody has to read it again."""
    store = cluster()
    plane = control_plane(store, Published(), [])
    assert plane.gateway(GATEWAY) is None
    plane.touch_all()
    await plane.build()
    gateway = plane.gateway(GATEWAY)

    assert gateway is not None
    assert gateway.metadata.name == GATEWAY.name
    await plane.build()
    assert plane.gateway(GATEWAY) is gateway
    store.discard(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {}))
    assert plane.gateway(GATEWAY) is gateway
    plane.touch(GATEWAY)
    await plane.build()
    assert plane.gateway(GATEWAY) is None


async def test_only_what_was_touched_is_looked_at_again() -> None:
    """So that a change costs the same with ten services and with a thousand."""
    store = cluster(users(), owner(GRPC_SERVICES, "other", {"image": "other:1", "gateway": {}}))
    changed: list[Key] = []
    plane = control_plane(store, Published(), changed)
    plane.touch_all()
    await plane.build()
    before = {key: plane.edge(key) for key in (USERS, OTHER)}
    changed.clear()
    store.put(GRPC_SERVICES, users(2, gateway={"hostnames": ["users.example.com"]}))
    plane.touch(USERS)
    await plane.build()

    assert plane.edge(OTHER) is before[OTHER]
    assert plane.edge(USERS) != before[USERS]
    assert set(changed) == {USERS, GATEWAY}


async def test_the_status_of_an_owner_is_nothing_new() -> None:
    """It changes with every step that the operator tells; only a new generation counts."""
    published = Published()
    store = cluster(users())
    plane = control_plane(store, published, [])
    plane.touch_all()
    await plane.build()
    running = asyncio.create_task(plane.run())
    published.news.clear()

    for key, resource in ((USERS, GRPC_SERVICES), (GATEWAY, GRPC_GATEWAYS)):
        known = store.get(resource, key.namespace, key.name)
        assert known is not None
        plane.touch_owner(key, {**known, "status": {"readySummary": "1/1"}})
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(published.snapshots) == 1
    plane.touch_owner(USERS, users(2, replicas=0))
    await asyncio.wait_for(published.news.wait(), 5)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_gateway_that_admits_nobody_loses_its_services() -> None:
    """Though nothing of them has changed; and gets them back."""
    store = cluster(users())
    published = Published()
    plane = control_plane(store, published, [])
    for generation, names in enumerate((["shop"], ["elsewhere"], ["shop"]), start=2):
        allowed = {"allowedNamespaces": {"from": "Names", "names": names}}
        store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, allowed, generation))
        plane.touch(GATEWAY)
        await plane.build()
        served = published.snapshots[-1].resources[CLUSTER].keys()
        assert served == ({"shop/users"} if names == ["shop"] else set())


async def test_what_has_silently_gone_goes() -> None:
    """A watch may miss a deletion; then everything is compared."""
    store = cluster(users())
    published = Published()
    plane = control_plane(store, published, [])
    plane.touch_all()
    await plane.build()
    store.discard(GRPC_SERVICES, users())
    plane.touch_all()
    await plane.build()

    assert plane.edge(USERS) is None
    assert not published.snapshots[-1].resources[CLUSTER]
