"""Hosts, grants and listeners: what a change of the gateway or of a namespace does to services."""

from typing import Any

from grpc_operator.api import GrpcGateway
from grpc_operator.controlplane.attachment_state import Unresolved
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import Owners
from grpc_operator.gateway.acceptance import NOTHING
from grpc_operator.resources import (
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    NAMESPACES,
    Key,
    Manifest,
    service_key,
)
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.reconcile import GATEWAY, USERS, cluster, owner, users

ELSEWHERE = service_key("elsewhere", "users")
LISTENER: dict[str, Any] = {"name": "http", "port": 80, "allowedNamespaces": {"from": "All"}}


def elsewhere(*hosts: str, generation: int = 1) -> Manifest:
    """Returns a service of another namespace than the gateway's, with the same gRPC service."""
    spec = {"gateway": {"hostnames": list(hosts)}} if hosts else {}
    manifest = users(generation, services=["p.S"], **spec)
    manifest["metadata"]["namespace"] = ELSEWHERE.namespace
    return manifest


def namespace(name: str, version: int = 1, **labels: str) -> Manifest:
    """Returns a Namespace as the API server returns it."""
    metadata = {"name": name, "uid": name, "resourceVersion": str(version), "labels": labels}
    return {"kind": "Namespace", "metadata": metadata}


class World:
    """A control plane and its store."""

    def __init__(self, *services: Manifest, **spec: Any) -> None:
        self.store = cluster(*services)
        self.plane: ControlPlane = control_plane(self.store, Published(), [])
        self._generation = 1
        self.set_gateway(**spec)

    def set_gateway(self, **spec: Any) -> None:
        """Changes the gateway."""
        self._generation += 1
        given = {"listeners": [LISTENER]} | spec
        manifest = owner(GRPC_GATEWAYS, GATEWAY.name, given, self._generation)
        self.store.put(GRPC_GATEWAYS, manifest)
        self.plane.owner_changed(GATEWAY, manifest)

    async def hosts(self, key: Key) -> tuple[str, ...]:
        """Builds what has changed; returns the hosts of a service."""
        if not self.plane.state(USERS):
            self.plane.mark_all_dirty()
        await self.plane.build()
        served = built(self.plane, key).served
        return served.hosts if served is not None else ()


async def test_the_default_host_follows_the_domain() -> None:
    """Though the service has not changed."""
    world = World(users(), elsewhere())

    assert await world.hosts(USERS) == ("users.shop.grpc.internal",)
    assert await world.hosts(ELSEWHERE) == ("users.elsewhere.grpc.internal",)
    world.set_gateway(domain="example.com")
    assert await world.hosts(ELSEWHERE) == ("users.elsewhere.example.com",)


async def test_a_grant_gives_and_takes() -> None:
    """A host without a grant is denied by name; the others are served."""
    world = World(users(), elsewhere("a.com", "users.elsewhere.grpc.internal"))

    assert await world.hosts(ELSEWHERE) == ("users.elsewhere.grpc.internal",)
    (host, why), *_ = built(world.plane, ELSEWHERE).denied
    assert host == "a.com"
    assert "{hostname: a.com, namespaces: [elsewhere]}" in why
    world.set_gateway(hostnames=[{"hostname": "*.com", "namespaces": ["other"]}])
    assert await world.hosts(ELSEWHERE) == ("users.elsewhere.grpc.internal",)
    world.set_gateway(hostnames=[{"hostname": "a.com", "namespaces": ["elsewhere"]}])
    assert await world.hosts(ELSEWHERE) == ("a.com", "users.elsewhere.grpc.internal")
    assert built(world.plane, ELSEWHERE).denied == ()
    world.set_gateway()
    assert await world.hosts(ELSEWHERE) == ("users.elsewhere.grpc.internal",)


async def test_a_selector_follows_the_labels_of_namespaces() -> None:
    """Of those that exist now."""
    grant = {"hostname": "a.com", "namespaceSelector": {"matchLabels": {"team": "web"}}}
    world = World(users(), elsewhere("a.com"), hostnames=[grant])
    assert await world.hosts(ELSEWHERE) == ()
    for version, team in enumerate(("web", "other", "web"), start=1):
        world.store.put(NAMESPACES, namespace("elsewhere", version, team=team))
        world.plane.namespaces_changed()
        assert await world.hosts(ELSEWHERE) == (("a.com",) if team == "web" else ())
    world.store.discard(NAMESPACES, namespace("elsewhere", 3))
    world.plane.namespaces_changed()
    assert await world.hosts(ELSEWHERE) == ()


async def test_a_service_is_on_the_listeners_that_admit_it() -> None:
    """On none of them it is not attached."""
    only = {"name": "own", "port": 81}
    world = World(users(), elsewhere(), listeners=[LISTENER, only])
    await world.hosts(USERS)
    attachments = [built(world.plane, key).attached.attachment for key in (USERS, ELSEWHERE)]

    assert [each.listeners for each in attachments if each] == [("http", "own"), ("http",)]
    world.set_gateway(listeners=[only])
    await world.plane.build()
    state = world.plane.state(ELSEWHERE)
    assert isinstance(state, Unresolved)
    assert state.refs.reason == "NotAllowedByListeners"
    assert "no listener of GrpcGateway shop/default admits" in state.refs.message


async def test_what_was_accepted_is_read_from_the_status() -> None:
    """By every replica, and as soon as it is written: a younger object keeps its host."""
    world = World(users(), hostnames=[{"hostname": "a.com", "namespaces": ["shop", "elsewhere"]}])
    younger = elsewhere("a.com")
    younger["metadata"]["creationTimestamp"] = "2027-01-01T00:00:00Z"
    world.store.put(GRPC_SERVICES, younger)
    assert await world.hosts(ELSEWHERE) == ("a.com",)
    served = built(world.plane, ELSEWHERE).served
    assert served is not None
    won = NOTHING.renewed(served.hosts, {item.digest for item in served.items}, "2027-02-01")
    claims = {"claims": won.wire(GATEWAY)}
    metadata = {**younger["metadata"], "resourceVersion": "2"}
    younger = {**younger, "metadata": metadata, "status": claims}
    world.store.put(GRPC_SERVICES, younger)
    world.plane.owner_changed(ELSEWHERE, younger)
    edited = users(2, gateway={"hostnames": ["a.com"]})
    world.store.put(GRPC_SERVICES, edited)
    world.plane.owner_changed(USERS, edited)
    await world.plane.build()

    (conflict,) = built(world.plane, USERS).conflicts
    assert "elsewhere/users on a.com (accepted earlier)" in conflict.message
    assert built(world.plane, ELSEWHERE).conflicts == ()
    assert world.plane.latest_acceptance(GATEWAY) == "2027-02-01"


def test_what_a_gateway_is_is_computed_once() -> None:
    """Selectors are evaluated for every namespace: not for every change of a service."""
    store = cluster()
    gateways = Gateways(store, Owners(GrpcGateway, {}), "cluster.local", with_namespaces=True)
    gateways.read(GATEWAY)
    first = gateways.ir(GATEWAY)
    store.put(NAMESPACES, namespace("elsewhere", team="web"))

    assert gateways.ir(GATEWAY) is first
    gateways.read_namespaces()
    assert gateways.ir(GATEWAY) is not first
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {"domain": "example.com"}, 2))
    assert gateways.read(GATEWAY)
    assert gateways.ir(GATEWAY).hosts.domain == "example.com"
