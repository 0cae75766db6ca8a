"""Where a descriptor comes from, and that reading one holds nobody up."""

import asyncio
import base64
from typing import Any, cast

import pytest

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.descriptor import load
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Fetch, Found
from grpc_operator.reconcile.recent_reads import RecentReads
from grpc_operator.reflection import ReflectionError
from grpc_operator.resources import CONFIG_MAPS, PODS, Key, Manifest
from grpc_operator.status.observed import ConditionResult
from tests.unit.descriptor import users as user_api
from tests.unit.reconcile import USERS, large_set, pinned, users
from tests.unit.reconcile.fake_cluster import FakeCluster


async def nobody(target: str, within: float) -> bytes:
    """Takes the place of reflection where none is to be asked."""
    raise AssertionError(f"{target} was asked within {within} s")


class Finding:
    """The sources of a cluster with these objects."""

    def __init__(self, fetch: Fetch = nobody, store: Store | None = None) -> None:
        self.store = store or Store()
        self.cluster = FakeCluster()
        self.cache = DescriptorCache(self.store)
        self._ended = asyncio.Event()
        calls = Calls[descriptor_config_map.Pinned](self._enqueued)
        self.sources = DescriptorSources(
            calls, cast("Cluster", self.cluster), self.store, self.cache, fetch
        )

    def _enqueued(self, key: Key) -> None:
        assert key == USERS
        self._ended.set()

    async def now(
        self, manifest: Manifest, revision: str | None = None, *, is_frozen: bool = False
    ) -> Found:
        """Returns what is found at once."""
        service = GrpcService.parse(manifest)
        return await self.sources.find(service, revision, is_frozen=is_frozen)

    async def ended(self) -> None:
        """Waits until a source has been read."""
        await self._ended.wait()
        self._ended.clear()

    async def read(self, manifest: Manifest, revision: str | None = None) -> Found:
        """Returns what is found when the source has been read."""
        await self.now(manifest, revision)
        await self.ended()
        return await self.now(manifest, revision)


def with_pod() -> Store:
    """Returns a store with a ready pod of the service."""
    store = Store()
    metadata = {
        "namespace": USERS.namespace,
        "name": "users-0",
        "uid": "pod",
        "resourceVersion": "1",
        "labels": {labels.SERVICE: USERS.name, "pod-template-hash": "a"},
    }
    status = {"podIP": "198.18.0.7", "conditions": [{"type": "Ready", "status": "True"}]}
    store.put(PODS, {"metadata": metadata, "status": status, "spec": {}})
    return store


def inline(data: bytes) -> Manifest:
    """Returns a service that has its descriptor in its spec."""
    return users(descriptor={"inline": base64.b64encode(data).decode()})


async def test_nobody_waits_while_a_set_is_read() -> None:
    """It comes from outside and can take seconds: no worker is held for it."""
    data, finding = large_set(), Finding()

    first = await finding.now(inline(data))
    assert first.pinned is None
    assert first.problem is not None
    assert first.problem.message == "The descriptor is being read"
    found = await finding.read(inline(data))
    assert found.problem is None
    assert found.pinned is not None
    assert (found.pinned.data, found.pinned.source) == (load(data).data, "Inline")


async def test_what_is_wrong_with_a_set_names_the_field_and_is_not_read_again() -> None:
    """The same bytes are wrong for ever: a refused object costs nothing."""
    finding = Finding()
    found = await finding.read(inline(b"\x0a\x00"))
    again = await finding.now(inline(b"\x0a\x00"))

    assert found.pinned is None
    assert found.problem is not None
    assert found.problem.reason == "InvalidDescriptor"
    assert found.problem.message.startswith("spec.descriptor.inline: has a file with the name ''")
    assert again == found
    assert found.requeue_after is None
    assert (await finding.read(inline(large_set(3)))).problem is None


async def test_a_server_that_fails_is_asked_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its service is reconciled; and meanwhile the status says why."""
    asked: list[str] = []

    async def fails(target: str, within: float) -> bytes:
        del within
        asked.append(target)
        raise ReflectionError(Reason.REFLECTION_UNREACHABLE, "no answer")

    finding, loop = Finding(fails, with_pod()), asyncio.get_running_loop()
    real, later, waits = loop.time, 0.0, []
    monkeypatch.setattr(loop, "time", lambda: real() + later)
    for times in range(1, 9):
        found = await finding.read(users())
        assert (await finding.now(users())).problem == found.problem
        assert found.requeue_after is not None
        waits.append(round(found.requeue_after / 5))
        later += found.requeue_after
        assert len(asked) == times
    assert found.problem is not None
    assert found.problem.message == "spec.descriptor: pod users-0: no answer"

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_what_is_pinned_stays_while_a_server_hangs() -> None:
    """It is neither reported as wrong, nor served no more."""

    async def hangs(target: str, within: float) -> bytes:
        del target, within
        await asyncio.Event().wait()
        raise AssertionError

    finding = Finding(hangs, with_pod())
    data = load(large_set(3)).data
    finding.store.put(CONFIG_MAPS, pinned(users(), data))
    found = await finding.now(users())

    assert found.problem is None
    assert found.pinned is not None
    assert found.pinned.data == data
    finding.sources.forget(USERS)


async def refreshed(cache: DescriptorCache, service: GrpcService) -> None:
    """Brings the cache up to date."""
    load_it = cache.refresh(USERS, service)
    if load_it is not None:
        await load_it()


async def test_other_rules_have_the_source_read_again() -> None:
    """A rule replaces an annotation, and without the rule the annotation counts again."""
    finding, data = Finding(), user_api().SerializeToString()
    rule = {"selector": "user.v1.UserService.GetUser", "get": "/v2/users/{id}"}
    plain, ruled = inline(data), inline(data)
    ruled["spec"]["gateway"] = {"rest": {"rules": [rule]}}
    paths = []

    for version, manifest in enumerate((plain, ruled, plain), 1):
        found = (await finding.read(manifest)).pinned
        assert found is not None
        (served,) = load(found.data, ["user.v1.UserService"]).services
        paths.append(served.methods[0].bindings[0].template)
        config_map = pinned(manifest, found.data)
        config_map["metadata"]["resourceVersion"] = str(version)
        config_map["data"] = {"source": found.source, "revision": found.revision}
        finding.store.put(CONFIG_MAPS, config_map)

    assert paths == ["/v1/users/{id}", "/v2/users/{id}", "/v1/users/{id}"]


async def test_a_config_map_is_not_read_again_at_once() -> None:
    """An owner is reconciled many times while it is created; a new spec has it read."""
    finding, data = Finding(), large_set()
    source = {"name": "users-api", "namespace": USERS.namespace, "uid": "x", "resourceVersion": "7"}
    content = {"descriptor.pb": base64.b64encode(data).decode()}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": source, "binaryData": content}
    finding.cluster.objects["ConfigMap", "users-api"] = made
    spec: dict[str, Any] = {
        "descriptor": {"configMap": {"name": "users-api", "key": "descriptor.pb"}}
    }
    found = (await finding.read(users(**spec))).pinned
    assert found is not None
    config_map = pinned(users(**spec), found.data)
    config_map["data"] = {"source": found.source, "revision": found.revision}
    finding.store.put(CONFIG_MAPS, config_map)
    reads = []
    for generation in (1, 1, 1, 2, 2):
        finding.cluster.reads = 0
        assert (await finding.now(users(generation, **spec))).pinned == found
        reads.append(finding.cluster.reads)
    assert reads == [1, 0, 0, 1, 0]


def test_what_was_read_is_good_for_a_while() -> None:
    """For the spec and the revision that it was read for."""
    now = [100.0]
    recent = RecentReads(15.0, lambda: now[0])
    recent.note(USERS, "users", 1, "users-api@7")
    assert recent.origin(USERS, "users", 1) == "users-api@7"
    assert recent.origin(USERS, "users", 2) is None
    assert recent.origin(USERS, "users-2", 1) is None
    now[0] += 15.0
    assert recent.origin(USERS, "users", 1) is None
    now[0] -= 1.0
    recent.forget(USERS, kept=["users"])
    assert recent.origin(USERS, "users", 1) == "users-api@7"
    recent.forget(USERS)
    assert recent.origin(USERS, "users", 1) is None


async def test_a_deleted_config_map_is_made_again_of_what_it_was() -> None:
    """Nobody is asked: its source may be gone by then, and it must not change what is served."""
    manifest = users(descriptor={"inline": base64.b64encode(large_set(3)).decode()})
    finding = Finding()
    store, cache = finding.store, finding.cache
    first = (await finding.read(manifest)).pinned
    assert first is not None
    config_map = pinned(manifest, first.data)
    config_map["data"] = {"source": "Reflection", "revision": "of-pods-that-are-gone"}
    store.put(CONFIG_MAPS, config_map)
    by_reflection = GrpcService.parse(users())
    await refreshed(cache, by_reflection)
    store.discard(CONFIG_MAPS, config_map)
    await refreshed(cache, by_reflection)

    again = await finding.now(users())

    assert again.problem is None
    assert again.pinned is not None
    assert (again.pinned.data, again.pinned.source) == (first.data, "Reflection")


def test_a_source_that_waits_for_a_pod_is_not_wrong() -> None:
    """A candidate without pods says nothing about the revision that serves."""
    waits = ConditionResult("False", Reason.WAITING_FOR_POD, "no pod")
    missing = ConditionResult("False", Reason.DESCRIPTOR_NOT_FOUND, "no ConfigMap")
    assert [Found(None, each).is_wrong for each in (None, waits, missing)] == [False, False, True]


async def test_a_descriptor_is_new_from_when_it_is_being_read() -> None:
    """Until then the routes are made from the one before, which is what is found."""
    store, data = Store(), large_set(3)
    store.put(CONFIG_MAPS, pinned(inline(data), load(data).data))
    finding = Finding(store=store)

    reading = await finding.now(inline(large_set()))
    await finding.ended()
    fresh = await finding.now(inline(large_set()))

    assert reading.pinned is not None
    assert (reading.pinned.data, reading.is_new) == (load(data).data, True)
    assert fresh.pinned is not None
    assert (fresh.pinned.data, fresh.is_new) == (load(large_set()).data, True)
