"""The condition Programmed, from what the ready proxies have and refuse."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.descriptor.model import Summary
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.reconcile.programmed import Outcome, Programmed
from grpc_operator.reconcile.serving_proxies import LATE_SECONDS, Proxy
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Key, Manifest, service_key
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.controlplane.revisions import CANDIDATE, revision, split
from tests.unit.controlplane.revisions import World as Revisions
from tests.unit.reconcile import GATEWAY, USERS, cluster, owner, put_proxy, users

SERVICE = users(replicas=0)
START = 1_800_000_000.0
AT_START = "2027-01-15T08:00:00Z"


@dataclass
class Envoy:
    """A proxy that is connected."""

    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str] = field(default_factory=dict)
    node: str = "envoy-0"


class Answered(Calls[str]):
    """Every call through a proxy ends at once."""

    def result(self, *_: Any) -> str:
        """Returns what it said."""
        return "health SERVING"


class World:
    """A service, and the proxies of its gateway.

    Attributes:
        connected: The proxies that are connected; every proxy has a ready pod at first.
        state: What was built of the service.
        now: The time.
    """

    state: Built

    def __init__(self, store: Store, service: Manifest) -> None:
        self.store, self.service, self.now = store, service, START
        self.connected: list[Envoy] = []
        self.plane = control_plane(store, Published(), [])
        calls = Answered(list[Key]().append)
        self._programmed = Programmed(store, self, calls, clock=lambda: self.now)

    @classmethod
    async def build(cls, **gateway: Any) -> "World":
        """Returns one in which everything is built."""
        made = cls(cluster(SERVICE), SERVICE)
        made.store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, gateway, 2))
        made.plane.mark_all_dirty()
        await made.plane.build()
        made.state = built(made.plane, USERS)
        return made

    def add(self, node: str, config_hash: str | None = None) -> Envoy:
        """Adds a ready proxy; it has the newest configuration when none is given."""
        put_proxy(self.store, node)
        made = Envoy({USERS: config_hash or self.state.config_hash or ""}, node=node)
        self.connected.append(made)
        return made

    async def of(self, gateway: Key, service: Key) -> Sequence[Proxy]:
        """Returns the connected proxies."""
        assert (gateway, service) == (GATEWAY, USERS)
        return self.connected

    async def check(self) -> Outcome:
        """Checks the service, and keeps the result in its status."""
        service = GrpcService.parse({**self.service, "status": {}})
        gateway = self.plane.gateway(GATEWAY)
        outcome = await self._programmed.check(USERS, service, self.state, gateway)
        verdict = outcome.verdict
        said = {"type": "Programmed", "status": verdict.status, "message": verdict.message}
        generation = self.service["metadata"]["generation"]
        self._keep({"conditions": [{**said, "observedGeneration": generation}]}, outcome)
        return outcome

    def _keep(self, status: dict[str, Any], outcome: Outcome) -> None:
        version = int(self.service["metadata"]["resourceVersion"]) + 1
        metadata = {**self.service["metadata"], "resourceVersion": str(version)}
        kept = {"proxies": outcome.proxies, **status}
        self.service = {**self.service, "metadata": metadata, "status": kept}
        self.store.put(GRPC_SERVICES, self.service)


@pytest.mark.parametrize("of", [None, USERS])
async def test_what_is_served_as_asked_is_programmed(of: Key | None) -> None:
    """Somebody else has made the proxy refuse a table that this service is in as well."""
    world = await World.build()
    world.add("envoy-0").rejected = {of: "no such thing"}

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("True", "Programmed")
    assert outcome.proxies == {"ready": 1, "serving": 1}


@pytest.mark.parametrize("of", [None, USERS])
@pytest.mark.parametrize("ready", [True, False])
async def test_what_keeps_it_from_being_served_is_reported(of: Key | None, *, ready: bool) -> None:
    """In the proxy's own words, also when the proxy cannot become ready because of it."""
    world = await World.build()
    world.add("envoy-0", "older").rejected = {of: "no such thing"}
    put_proxy(world.store, "envoy-0", 2, ready=ready)

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "RejectedByProxy")
    assert outcome.verdict.message == "1 of 1 proxies rejected it; envoy-0: no such thing"


async def test_a_refusal_of_another_service_is_not_reported() -> None:
    """This one is merely on its way."""
    world = await World.build()
    world.add("envoy-0", "older").rejected = {service_key("shop", "other"): "no such thing"}

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "Pending")
    assert outcome.requeue_after is not None


async def test_only_ready_proxies_count() -> None:
    """One that starts gets no calls yet, and one that terminates no new ones."""
    world = await World.build()
    world.add("envoy-0")
    before = await world.check()
    world.connected.append(Envoy({}, node="envoy-1"))

    assert await world.check() == before

    put_proxy(world.store, "envoy-0", 2, ready=False)
    outcome = await world.check()
    assert (outcome.verdict.reason, outcome.proxies) == ("NoProxies", {"ready": 0, "serving": 0})


async def test_a_proxy_that_connects_again_changes_nothing() -> None:
    """To another replica, which knows of it what it has a moment later."""
    world = await World.build()
    world.add("envoy-0")
    second = world.add("envoy-1")
    before = await world.check()
    assert before.proxies == {"ready": 2, "serving": 2}

    world.connected.remove(second)
    assert (await world.check()).verdict == before.verdict
    world.now += 3600
    assert (await world.check()).verdict == before.verdict, "it serves what it has"
    world.connected.append(Envoy({}, node="envoy-1"))
    assert (await world.check()).verdict == before.verdict
    world.connected[-1].config_hashes = second.config_hashes
    assert (await world.check()) == before


@pytest.mark.parametrize(
    ("connected", "why"),
    [
        (False, "it is not connected to the operator"),
        (True, "it has not acknowledged the newest configuration"),
    ],
)
async def test_a_proxy_that_misses_a_change_is_named(connected: bool, why: str) -> None:  # noqa: FBT001
    """After the time that a change takes; the text stays the same until it is over."""
    world = await World.build()
    first, second = world.add("envoy-0"), world.add("envoy-1")
    before = await world.check()
    if not connected:
        world.connected.remove(second)
    world.state = replace(world.state, config_hash="newer")
    first.config_hashes = {USERS: "newer"}

    waiting = await world.check()
    assert (waiting.verdict, waiting.requeue_after) == (before.verdict, 0.5)
    world.now += LATE_SECONDS
    late = await world.check()

    assert (late.verdict.status, late.verdict.reason) == ("False", "WaitingForProxies")
    assert late.verdict.message == (
        "1 of 2 proxies of GrpcGateway shop/default serve this generation;"
        f" envoy-1 is behind since {AT_START}: {why}"
    )
    assert late.proxies == {"ready": 2, "serving": 1, "behind": ["envoy-1"]}
    world.now += 60
    assert await world.check() == late
    put_proxy(world.store, "envoy-1", 2, ready=False)
    assert (await world.check()).verdict.status == "True"


async def test_a_proxy_of_which_nothing_is_known_is_late_in_the_end() -> None:
    """The operator has restarted, and the proxy has lost its way to it."""
    world = await World.build()
    world.add("envoy-0")
    put_proxy(world.store, "envoy-1")

    assert (await world.check()).verdict.reason == "Pending"
    world.now += LATE_SECONDS
    assert "envoy-1 is behind since" in (await world.check()).verdict.message


async def test_another_descriptor_is_not_programmed_before_the_proxies_have_it() -> None:
    """What was reported of the former one does not hold for it."""
    world = await World.build()
    proxy = world.add("envoy-0")
    assert (await world.check()).verdict.status == "True"
    world.service["status"]["descriptor"] = {"sha256": "of the former one"}
    world.service["metadata"]["resourceVersion"] = "99"
    world.store.put(GRPC_SERVICES, world.service)
    proxy.config_hashes = {USERS: "older"}
    attached = world.state.attached
    world.state = replace(
        world.state, attached=replace(attached, descriptor=Summary("of the new one", 10))
    )

    assert (await world.check()).verdict.status == "False"


async def test_the_number_of_names_is_bounded() -> None:
    """A gateway may have a hundred proxies."""
    world = await World.build()
    for number in range(20):
        world.add(f"envoy-{number}", "older")
    await world.check()
    world.now += LATE_SECONDS

    outcome = await world.check()

    assert outcome.verdict.message.endswith("; and 12 more")
    assert outcome.proxies is not None
    assert len(outcome.proxies["behind"]) == 8


async def test_a_gateway_without_a_listener_to_call_is_not_asked_for_ever() -> None:
    """It may have TLS listeners only: each check costs, and there may be a thousand services."""
    tls = {"secretName": "certificate"}
    world = await World.build(
        listeners=[{"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls}]
    )
    world.add("envoy-0")

    outcomes = [await world.check() for _ in range(5)]

    assert [outcome.verdict.status for outcome in outcomes] == ["True"] * 5
    assert "not tried through a proxy" in outcomes[-1].verdict.message
    assert [outcome.requeue_after is None for outcome in outcomes] == [False] * 4 + [True]


async def test_what_another_gateway_goes_on_serving_is_not_programmed() -> None:
    """The one that the spec references does not exist; ResolvedRefs says so."""
    world = await World.build()
    world.add("envoy-0")
    world.service = users(2, replicas=0, gateway={"gatewayRef": {"name": "typo"}})
    world.store.put(GRPC_SERVICES, world.service)
    world.plane.mark_dirty(USERS)
    await world.plane.build()
    world.state = built(world.plane, USERS)

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "Pending")


async def test_an_older_configuration_is_not_this_generation() -> None:
    """The last valid settings are served while the new ones are invalid."""
    world = await World.build()
    world.add("envoy-0")
    invalid = InvalidSpecError([Problem("spec.gateway.methods", "no such method")])
    world.state = replace(world.state, attached=replace(world.state.attached, invalid=invalid))

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "Pending")
    assert "The last valid configuration is served" in outcome.verdict.message


async def test_hosts_without_anything_behind_them_are_not_programmed() -> None:
    """The descriptor was never read: calls are answered UNIMPLEMENTED."""
    world = await World.build()
    world.add("envoy-0")
    served = world.state.served
    assert served is not None
    nothing = replace(served, grpc=(), rest=(), prefixes=())
    world.state = replace(world.state, served=nothing)

    outcome = await world.check()

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "Pending")


async def test_a_service_whose_every_host_others_have_is_conflicted() -> None:
    """Though nothing of it was built."""
    world = await World.build()
    lost = Problem("spec.gateway.hostnames", "a.com is covered by *.com, which shop/other has")
    world.state = replace(world.state, config_hash=None, conflicts=(lost,))

    outcome = await world.check()

    assert (outcome.verdict.reason, outcome.verdict.message) == ("Conflicted", str(lost))
    assert outcome.verdict.stalled


class OneProxy:
    """A proxy that has everything."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def of(self, gateway: Key, service: Key) -> Sequence[Proxy]:
        """Returns it."""
        assert gateway == GATEWAY
        return [Envoy({service: built(self._plane, service).config_hash or ""})]


async def test_the_stable_revision_is_called_and_again_when_another_one_is_stable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its cluster has the name of the revision."""
    called: list[str] = []

    async def health(target: str, host: str, cluster_name: str, name: str) -> str:
        del target, host, name
        called.append(cluster_name)
        return "SERVING"

    monkeypatch.setattr("grpc_operator.probe.health", health)
    monkeypatch.setattr(
        "grpc_operator.reconcile.programmed.proxy_target", lambda *_: "198.18.0.9:80"
    )
    ended = asyncio.Event()
    world = Revisions(replicas=1)
    put_proxy(world.store, "envoy-0", 1000)
    calls = Calls[str](lambda _: ended.set())
    programmed = Programmed(world.store, OneProxy(world.plane), calls)
    service = GrpcService.parse(users(replicas=1))
    for revised in (split(0), [revision(CANDIDATE, "Stable", 100)]):
        ended.clear()
        world.put_status(*revised)
        state = await world.build()
        gateway = world.plane.gateway(GATEWAY)
        await programmed.check(USERS, service, state, gateway)
        await ended.wait()

    assert called == ["shop/users", "shop/users@7f3a9c2e"]
