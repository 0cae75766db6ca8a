"""A hundred objects that exceed the budget: what the operator keeps of each, and until when."""

import gc
from collections.abc import Callable
from typing import Any

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane import descriptor_cache
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.descriptor import Descriptor, load
from grpc_operator.engine.store import Store
from grpc_operator.gateway.ir import Rest
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES, Manifest
from tests.unit import reconcile
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.reconcile import GATEWAY, USERS, cluster, large_set, owner, pinned

LISTENERS = [{"name": "http", "port": 80}]
SMALL = {"listeners": LISTENERS, "budget": {"service": "1Mi"}}
WRONG = [{"service": "p.S", "method": "Missing"}]
"""Settings of a method that the descriptor does not have."""
LARGE = load(large_set()).data

Count = Callable[[], int]


def users(generation: int = 1, **gateway: Any) -> Manifest:
    """Returns the service, whose descriptor the proxies need for REST."""
    given = {"rest": {"autoMapping": "Enabled"}} | gateway
    return reconcile.users(generation, gateway=given)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Returns how many descriptors were parsed."""
    made: list[None] = []

    def counted(*args: Any, **kwargs: Any) -> Descriptor:
        made.append(None)
        return load(*args, **kwargs)

    monkeypatch.setattr("grpc_operator.descriptor.load", counted)
    return lambda: len(made)


def in_memory() -> int:
    """Returns how many objects hold the bytes of a large descriptor."""
    gc.collect()
    return sum(
        isinstance(each, (Descriptor, Rest))
        and len(each.data if isinstance(each, Descriptor) else each.descriptor) >= len(LARGE)
        for each in gc.get_objects()
    )


async def a_refused() -> tuple[Store, ControlPlane]:
    """Returns a control plane with a service that exceeds its gateway's budget."""
    store = cluster(users())
    store.put(CONFIG_MAPS, pinned(users(), LARGE, 2))
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, SMALL, 2))
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    assert message(plane)
    return store, plane


def message(plane: ControlPlane) -> str:
    """Returns why the budget refuses the service; empty if it does not."""
    invalid = built(plane, USERS).attached.invalid
    assert invalid is None or invalid.reason == Reason.BUDGET_EXCEEDED
    return str(invalid or "")


async def change(plane: ControlPlane, store: Store, service: Manifest) -> None:
    """Changes the service."""
    store.put(GRPC_SERVICES, service)
    plane.mark_dirty(USERS)
    await plane.build()


async def test_nothing_holds_the_descriptor_of_a_service_that_was_refused() -> None:
    """Parsed, it needs ten times the memory of its ConfigMap, and anybody can create many."""
    before = in_memory()
    store, plane = await a_refused()
    refused = built(plane, USERS).attached

    assert in_memory() == before
    assert refused.descriptor == load(LARGE).summary
    assert refused.attachment is not None
    assert not refused.attachment.apis
    del store


async def test_a_refused_service_is_not_loaded_again_for_the_changes_of_others(
    loads: Count,
) -> None:
    """Its state and the text stay the same, so that nobody is enqueued either."""
    store, plane = await a_refused()
    before, made = built(plane, USERS), loads()
    other = owner(GRPC_SERVICES, "other", {"image": "a", "gateway": {}})
    store.put(GRPC_SERVICES, other)
    plane.mark_all_dirty()
    await plane.build()

    assert loads() == made
    assert built(plane, USERS) is before


async def test_a_raised_budget_serves_what_was_refused() -> None:
    """Without a change of the service."""
    store, plane = await a_refused()
    raised = {"listeners": LISTENERS}
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, raised, 3))
    plane.mark_dirty(GATEWAY)
    await plane.build()

    assert not message(plane)
    assert built(plane, USERS).config_hash is not None
    attachment = built(plane, USERS).attached.attachment
    assert attachment is not None
    assert attachment.apis


async def test_a_changed_spec_is_decided_again() -> None:
    """Although its descriptor is the same as before."""
    store, plane = await a_refused()
    first = message(plane)
    hosts = {"hostnames": ["a.example.com", "b.example.com"]}
    await change(plane, store, users(2, **hosts))
    second = message(plane)
    await change(plane, store, users(3, protocols=["GRPC"], rest={}))

    assert "for 1 hosts" in first
    assert "for 2 hosts" in second
    assert not message(plane)
    assert built(plane, USERS).config_hash is not None


async def test_a_changed_descriptor_is_decided_again() -> None:
    """The service itself has not changed."""
    store, plane = await a_refused()
    store.put(CONFIG_MAPS, pinned(users(), load(large_set(2)).data, 3))
    plane.mark_dirty(USERS)
    await plane.build()

    assert not message(plane)
    assert built(plane, USERS).config_hash is not None


async def test_another_domain_of_the_gateway_is_decided_again() -> None:
    """The hosts of a service that names none are others then, and those are held."""
    store, plane = await a_refused()
    domain = {**SMALL, "domain": "other.example.com"}
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, domain, 3))
    plane.mark_all_dirty()
    await plane.build()
    attachment = built(plane, USERS).attached.attachment

    assert message(plane)
    assert attachment is not None
    assert attachment.hostnames == ("users.shop.other.example.com",)
    assert not attachment.apis


async def test_a_service_that_is_refused_and_then_wrong_is_still_held() -> None:
    """Nobody else gets its hosts, and what is wrong is named."""
    store, plane = await a_refused()
    await change(plane, store, users(2, methods=WRONG))
    attached = built(plane, USERS).attached

    assert attached.invalid is not None
    assert attached.invalid.reason == Reason.INVALID_SPEC
    assert attached.attachment is not None
    assert attached.attachment.hostnames


async def test_an_invalid_spec_after_a_refused_one_keeps_what_was_accepted() -> None:
    """What was refused in between is neither served nor in the way of what was accepted."""
    store = cluster(users())
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, SMALL, 2))
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    accepted = built(plane, USERS)
    store.put(CONFIG_MAPS, pinned(users(), LARGE, 2))
    plane.mark_dirty(USERS)
    await plane.build()
    refused = message(plane)
    await change(plane, store, users(2, methods=WRONG))
    after = built(plane, USERS)

    assert refused
    assert after.attached.invalid is not None
    assert after.attached.invalid.reason == Reason.INVALID_SPEC
    assert after.attached.attachment is accepted.attached.attachment
    assert after.config_hash == accepted.config_hash


async def test_a_service_of_the_same_name_is_another_one() -> None:
    """What an object that was deleted would have cost is not held against the next."""
    store, plane = await a_refused()
    store.discard(CONFIG_MAPS, pinned(users(), LARGE, 2))
    service = users(2)
    service["metadata"]["uid"] = "another"
    await change(plane, store, service)

    assert not message(plane)
    assert built(plane, USERS).attached.generation == 2


async def test_few_bytes_of_descriptors_wait_for_their_config_maps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixteen of the largest would need 80 MiB."""
    sets = [load(large_set(20 + number)).data for number in range(4)]
    monkeypatch.setattr(descriptor_cache, "_RECENT", 2 * len(sets[-1]))
    cache, service = DescriptorCache(Store()), GrpcService.parse(users())
    first = [await cache.load(service, data) for data in sets]
    again = [await cache.load(service, data) for data in reversed(sets)]

    assert again[0] is first[3]
    assert again[1] is first[2]
    assert again[3] is not first[0]
