"""Descriptors by revision: each from its own ConfigMap, for as long as the revision counts."""

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.controlplane.descriptor_cache import DescriptorCache, Needed
from grpc_operator.descriptor import load
from grpc_operator.engine.store import Store
from grpc_operator.resources import CONFIG_MAPS, Manifest
from tests.unit.reconcile import USERS, large_set, pinned, users

CANDIDATE = "users-7f3a9c2e"
BOTH = Needed(("users", CANDIDATE), are_frozen=True)


def config_map(revision: str, messages: int, version: int = 1) -> Manifest:
    """Returns the ConfigMap of a revision."""
    made = pinned(users(), load(large_set(messages)).data, version)
    made["metadata"]["name"] = names.descriptor_config_map(revision)
    return made


def world() -> tuple[Store, DescriptorCache]:
    """Returns a store with the ConfigMaps of two revisions, and the cache of it."""
    store = Store()
    store.put(CONFIG_MAPS, config_map("users", 3))
    store.put(CONFIG_MAPS, config_map(CANDIDATE, 4))
    return store, DescriptorCache(store)


async def refresh(cache: DescriptorCache, needed: Needed, manifest: Manifest | None = None) -> bool:
    """Brings a cache up to date; returns whether anything was loaded."""
    load_them = cache.refresh(USERS, GrpcService.parse(manifest or users()), needed)
    if load_them is not None:
        await load_them()
    return load_them is not None


async def test_each_revision_has_its_own() -> None:
    """And is loaded once."""
    _, cache = world()
    assert await refresh(cache, BOTH)
    assert not await refresh(cache, BOTH)

    stable, candidate = cache.of(USERS, "users")[0], cache.of(USERS, CANDIDATE)[0]
    assert stable is not None
    assert candidate is not None
    assert (stable.data, candidate.data) == (load(large_set(3)).data, load(large_set(4)).data)
    assert cache.versions(USERS).keys() == {"users", CANDIDATE}


async def test_a_change_of_one_loads_only_that() -> None:
    """Otherwise each step of a rollout would load the stable one again."""
    store, cache = world()
    await refresh(cache, BOTH)
    before = cache.of(USERS, "users")[0]
    store.put(CONFIG_MAPS, config_map(CANDIDATE, 5, version=2))
    await refresh(cache, BOTH)

    candidate = cache.of(USERS, CANDIDATE)[0]
    assert cache.of(USERS, "users")[0] is before
    assert candidate is not None
    assert candidate.data == load(large_set(5)).data


async def test_a_revision_that_is_gone_is_forgotten() -> None:
    """Its descriptor needs megabytes, and its ConfigMap is not what a later one is served by."""
    store, cache = world()
    await refresh(cache, BOTH)
    store.discard(CONFIG_MAPS, config_map(CANDIDATE, 4))
    assert cache.config_map(GrpcService.parse(users()), CANDIDATE) is not None
    await refresh(cache, Needed(("users",)))

    assert cache.of(USERS, CANDIDATE) == (None, None)
    assert cache.versions(USERS).keys() == {"users"}
    assert cache.config_map(GrpcService.parse(users()), CANDIDATE) is None


async def test_a_retired_revision_keeps_its_config_map_but_is_not_loaded() -> None:
    """One can go back to it, though somebody has deleted the ConfigMap."""
    store, cache = world()
    await refresh(cache, Needed(("users",), kept=frozenset((CANDIDATE,))))
    store.discard(CONFIG_MAPS, config_map(CANDIDATE, 4))

    assert cache.of(USERS, CANDIDATE) == (None, None)
    assert cache.config_map(GrpcService.parse(users()), CANDIDATE) is not None


async def test_spec_services_is_not_asked_of_an_older_revision() -> None:
    """It may list what only the new one has; what was pinned is what the old one was to serve."""
    _, cache = world()
    newer = users(services=["p.S", "p.New"])
    await refresh(cache, Needed(("users",)), newer)
    assert cache.of(USERS, "users")[1] is not None
    await refresh(cache, BOTH, newer)

    descriptor, invalid = cache.of(USERS, "users")
    assert invalid is None
    assert descriptor is not None
    assert [each.name for each in descriptor.services] == ["p.S"]


async def test_what_was_shed_is_loaded_with_what_has_changed() -> None:
    """Both are combined; one alone would be the descriptor of nothing."""
    store, cache = world()
    await refresh(cache, BOTH)
    cache.shed(USERS, cache.versions(USERS))
    assert not cache.has(USERS)
    assert not await refresh(cache, BOTH)
    store.put(CONFIG_MAPS, config_map(CANDIDATE, 5, version=2))
    assert await refresh(cache, BOTH)

    assert cache.has(USERS)
    assert cache.of(USERS, "users")[0] is not None
