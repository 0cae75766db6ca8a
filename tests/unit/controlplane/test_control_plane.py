"""From the cluster's state to what is published: when, and at what cost."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane import control_plane as control_plane_module
from grpc_operator.controlplane.attachment_state import generation_of
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.gateway_group import GatewayGroup
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.descriptor import Descriptor, load
from grpc_operator.gateway.snapshot import CLUSTER
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES, Key
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.reconcile import GATEWAY, USERS, cluster, large_set, owner, pinned, users
from tests.waiting import HANG, until

OTHER = USERS._replace(name="other")


async def test_it_builds_again_only_when_something_changes() -> None:
    """What was built before the proxies may come is not built twice."""
    published = Published()
    store = cluster(users())
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()
    running = asyncio.create_task(plane.run())

    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(published.snapshots) == 1
    published.news.clear()
    store.put(GRPC_SERVICES, users(2, replicas=0))
    plane.mark_dirty(USERS)
    await asyncio.wait_for(published.news.wait(), 5)
    assert len(published.snapshots) == 2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_everything_else_goes_on_while_descriptors_are_loaded() -> None:
    """At start there is one of every service."""
    published = Published()
    store = cluster(users())
    store.put(CONFIG_MAPS, pinned(users(), load(large_set()).data, 2))
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    building = asyncio.create_task(plane.build())

    await asyncio.sleep(0)
    assert not building.done()
    # What comes meanwhile is part of it, its set included.
    other = owner(GRPC_SERVICES, "other", {"image": "other:1", "gateway": {}})
    store.put(GRPC_SERVICES, other)
    store.put(CONFIG_MAPS, pinned(other, load(large_set(2)).data))
    plane.mark_dirty(OTHER)
    await building
    assert published.snapshots[-1].resources[CLUSTER].keys() == {"shop/users", "shop/other"}


async def test_a_descriptor_is_loaded_once() -> None:
    """A change of what has nothing to do with it does not read it again."""
    store = cluster(users())
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    first = built(plane, USERS).attached
    store.put(GRPC_SERVICES, users(2, replicas=0))
    plane.mark_dirty(USERS)
    await plane.build()
    second = built(plane, USERS).attached

    assert (first.generation, second.generation) == (1, 2)
    assert first.descriptor is second.descriptor is not None


async def test_an_invalid_descriptor_is_reported() -> None:
    """Somebody has changed the ConfigMap: what was served before goes on."""
    store = cluster(users())
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    store.put(CONFIG_MAPS, pinned(users(), b"\x0a\x00", 2))
    plane.mark_dirty(USERS)
    await plane.build()
    attached = built(plane, USERS).attached

    assert attached.invalid is not None
    assert attached.invalid.reason == "InvalidDescriptor"
    assert attached.attachment is not None
    assert [api.name for api in attached.attachment.apis] == ["p.S"]


async def test_a_listener_that_envoy_must_not_get_is_not_a_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The proxies keep what they have; the log says which field has to change."""
    published = Published()
    store = cluster(users())
    listeners = [{"name": "http", "port": 80, "hostname": "BAD_Host"}]
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {"listeners": listeners}, 2))
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()

    assert not published.snapshots
    (record,) = caplog.records
    assert "spec.listeners[0].hostname: 'BAD_Host' is not a valid" in record.getMessage()
    assert record.exc_info is None


async def test_a_gateway_is_known_as_it_was_built() -> None:
    """It need not be parsed again."""
    store = cluster()
    plane = control_plane(store, Published(), [])
    assert plane.gateway(GATEWAY) is None
    plane.mark_all_dirty()
    await plane.build()
    gateway = plane.gateway(GATEWAY)

    assert gateway is not None
    assert gateway.metadata.name == GATEWAY.name
    await plane.build()
    assert plane.gateway(GATEWAY) is gateway
    store.discard(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {}))
    assert plane.gateway(GATEWAY) is gateway
    plane.mark_dirty(GATEWAY)
    await plane.build()
    assert plane.gateway(GATEWAY) is None


async def test_only_what_is_dirty_is_read_again() -> None:
    """So that a change costs the same with ten services and with a thousand."""
    store = cluster(users(), owner(GRPC_SERVICES, "other", {"image": "other:1", "gateway": {}}))
    changed: list[Key] = []
    plane = control_plane(store, Published(), changed)
    plane.mark_all_dirty()
    await plane.build()
    before = {key: plane.state(key) for key in (USERS, OTHER)}
    changed.clear()
    store.put(GRPC_SERVICES, users(2, gateway={"hostnames": ["users.example.com"]}))
    plane.mark_dirty(USERS)
    await plane.build()

    assert plane.state(OTHER) is before[OTHER]
    assert plane.state(USERS) != before[USERS]
    assert set(changed) == {USERS}  # the gateway has as many services as before


async def test_the_status_of_an_owner_is_nothing_new() -> None:
    """It changes with every step that the operator reports; only a new generation counts."""
    published = Published()
    store = cluster(users())
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()
    running = asyncio.create_task(plane.run())
    published.news.clear()

    for key, resource in ((USERS, GRPC_SERVICES), (GATEWAY, GRPC_GATEWAYS)):
        known = store.get(resource, key.namespace, key.name)
        assert known is not None
        plane.owner_changed(key, {**known, "status": {"readySummary": "1/1"}})
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(published.snapshots) == 1
    plane.owner_changed(USERS, users(2, replicas=0))
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
        allowed = {"from": "Names", "names": names}
        spec = {"listeners": [{"name": "http", "port": 80, "allowedNamespaces": allowed}]}
        store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, spec, generation))
        plane.mark_dirty(GATEWAY)
        await plane.build()
        served = published.snapshots[-1].resources[CLUSTER].keys()
        assert served == ({"shop/users"} if names == ["shop"] else set())


async def test_what_has_silently_gone_goes() -> None:
    """A watch may miss a deletion; then everything is compared."""
    store = cluster(users())
    published = Published()
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()
    store.discard(GRPC_SERVICES, users())
    plane.mark_all_dirty()
    await plane.build()

    assert plane.state(USERS) is None
    assert not published.snapshots[-1].resources[CLUSTER]


async def test_what_exceeds_the_budget_is_refused_and_the_last_accepted_goes_on() -> None:
    """Beside it, the newer attachment is nowhere: neither served nor shown as served."""
    store = cluster(users())
    listeners = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    gateway = {"budget": {"service": "1Mi"}, "listeners": listeners}
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, gateway, 2))
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    accepted = built(plane, USERS)
    assert accepted.attached.invalid is None
    many = {"hostnames": [f"h{number}.example.com" for number in range(16)]}
    store.put(GRPC_SERVICES, users(2, gateway=many))
    plane.mark_dirty(USERS)
    await plane.build()
    refused = built(plane, USERS)

    assert refused.config_hash == accepted.config_hash
    assert refused.attached.attachment is accepted.attached.attachment
    assert refused.attached.invalid is not None
    assert refused.attached.invalid.reason == Reason.BUDGET_EXCEEDED
    assert refused.attached.generation == 2


async def test_a_neighbour_does_not_wait_for_the_descriptor_of_another_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loading one can take seconds, and its owner can change it again and again."""
    published, slow = Published(), threading.Event()
    store = cluster(users(), owner(GRPC_SERVICES, "other", {"image": "other:1", "gateway": {}}))
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()

    def load_slowly(*args: Any, **kwargs: Any) -> Descriptor:
        assert slow.wait(HANG)
        return load(*args, **kwargs)

    monkeypatch.setattr("grpc_operator.descriptor.load", load_slowly)
    running = asyncio.create_task(plane.run())
    store.put(CONFIG_MAPS, pinned(users(), load(large_set(3)).data, 2))
    plane.mark_dirty(USERS)
    store.put(GRPC_SERVICES, owner(GRPC_SERVICES, "other", {"image": "b", "gateway": {}}, 2))
    plane.mark_dirty(OTHER)
    before = built(plane, USERS)

    async def neighbour_is_built() -> bool:
        return generation_of(built(plane, OTHER)) == 2

    async def all_is_built() -> bool:
        return built(plane, USERS) != before

    await until(neighbour_is_built, "the neighbour is built")
    assert built(plane, USERS) is before
    slow.set()
    await until(all_is_built, "the other one is built, too")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_build_that_takes_too_long_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is attached by then is published: the others do not wait for all of a hundred."""
    monkeypatch.setattr(control_plane_module, "ATTACHING", 0)
    published = Published()
    names = [f"s{number}" for number in range(4)]
    services = [owner(GRPC_SERVICES, name, {"image": "a", "gateway": {}}) for name in names]
    plane = control_plane(cluster(*services), published, [])
    plane.mark_all_dirty()
    await plane.build()

    served = [len(each.resources[CLUSTER]) for each in published.snapshots]
    assert served == [1, 2, 3, 4]


async def test_many_services_are_attached_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one thread, and each is read once, also when it is left to a later build."""
    threads, reads = Counter[str](), Counter[str]()
    to_thread, refresh = asyncio.to_thread, Attachments.refresh

    async def counted(made: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        threads[made.__name__] += 1
        return await to_thread(made, *arguments, **options)

    def refreshed(self: Attachments, key: Key, gateways: Gateways) -> Any:
        reads[key.name] += 1
        return refresh(self, key, gateways)

    names = [f"s{number}" for number in range(4)]
    store = cluster()
    plane = control_plane(store, Published(), [])
    monkeypatch.setattr(asyncio, "to_thread", counted)
    monkeypatch.setattr(Attachments, "refresh", refreshed)
    for generation, seconds, expected in ((1, 60, 1), (2, 60, 1), (3, 0, len(names))):
        monkeypatch.setattr(control_plane_module, "ATTACHING", seconds)
        threads.clear()
        reads.clear()
        for name in names:
            spec = {"image": "a", "gateway": {}, "replicas": generation}
            store.put(GRPC_SERVICES, owner(GRPC_SERVICES, name, spec, generation))
            plane.mark_dirty(USERS._replace(name=name))
        plane.mark_dirty(GATEWAY)
        await plane.build()
        assert threads["_make"] == expected
    assert reads == dict.fromkeys(names, 1)


async def test_of_a_change_nothing_is_made_for_other_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor published again, when nothing has changed for a gateway."""
    names = [f"s{number}" for number in range(30)]
    others = [owner(GRPC_SERVICES, name, {"image": "other:1", "gateway": {}}) for name in names]
    published = Published()
    store = cluster(users(), *others)
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()
    made: list[Key] = []
    original = GatewayGroup._of  # noqa: SLF001 - counts what is made

    def counting(self: GatewayGroup, key: Key, *rest: Any) -> Any:
        made.append(key)
        return original(self, key, *rest)

    monkeypatch.setattr(GatewayGroup, "_of", counting)
    store.put(GRPC_SERVICES, users(2, gateway={"hostnames": ["users.example.com"]}))
    plane.mark_dirty(USERS)
    await plane.build()
    assert made == [USERS]
    plane.mark_dirty(GATEWAY)
    await plane.build()
    assert (made, len(published.snapshots)) == ([USERS], 2)
