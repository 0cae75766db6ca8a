"""F1: whatever is missing behind a service, its last attachment stays, and its hosts are its own.

A service that lost its attachment would leave its hosts to whoever claims a broader one.
"""

from collections.abc import Callable

import pytest

from grpc_operator.controlplane.attachment_state import Unresolved
from grpc_operator.engine.store import Store
from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, Snapshot
from grpc_operator.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    Key,
    Manifest,
)
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.reconcile import GATEWAY, USERS, cluster, owner, pinned, users

HOSTS = {"hostnames": ["users.example.com"]}
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


def service(generation: int = 1, **spec: object) -> Manifest:
    """Returns the GrpcService on a host of its own."""
    return users(generation, **({"gateway": HOSTS} | spec))


def _without_config_map(store: Store) -> None:
    store.discard(CONFIG_MAPS, pinned(service(), b""))


def _emptied_config_map(store: Store) -> None:
    made = pinned(service(), b"", 2)
    store.put(CONFIG_MAPS, {**made, "binaryData": {}})


def _config_map_without_its_owner(store: Store) -> None:
    made = pinned(service(), b"", 2)
    made["metadata"].pop("ownerReferences")
    store.put(CONFIG_MAPS, made)


def _broken_config_map(store: Store) -> None:
    store.put(CONFIG_MAPS, pinned(service(), b"\x0a\x00", 2))


def _no_such_gateway(store: Store) -> None:
    gateway = {**HOSTS, "gatewayRef": {"name": "typo"}}
    store.put(GRPC_SERVICES, service(2, gateway=gateway))


def _spec_of_a_newer_crd(store: Store) -> None:
    store.put(GRPC_SERVICES, service(2, gateway={**HOSTS, "protocols": ["HTTP9"]}))


def _host_that_is_none(store: Store) -> None:
    store.put(GRPC_SERVICES, service(2, gateway={"hostnames": ["Not_a_host"]}))


def _invalid_edit(store: Store) -> None:
    wrong = {"methods": [{"service": "p.S", "method": "Missing"}]}
    store.put(GRPC_SERVICES, service(2, gateway={**HOSTS, **wrong}))


def _being_deleted(store: Store) -> None:
    """In the foreground: what it owns goes first."""
    gone = service(2)
    gone["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    store.put(GRPC_SERVICES, gone)
    _without_config_map(store)


def _gateway_of_a_newer_crd(store: Store) -> None:
    made = owner(GRPC_GATEWAYS, GATEWAY.name, {"listeners": "all"}, 2)
    store.put(GRPC_GATEWAYS, made)


def _gateway_that_envoy_must_not_get(store: Store) -> None:
    listeners = [{"name": "http", "port": 80, "hostname": "BAD_Host"}]
    made = owner(GRPC_GATEWAYS, GATEWAY.name, {"listeners": listeners}, 2)
    store.put(GRPC_GATEWAYS, made)


def _gateway_being_deleted(store: Store) -> None:
    made = owner(GRPC_GATEWAYS, GATEWAY.name, {}, 2)
    made["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    store.put(GRPC_GATEWAYS, made)


def _no_endpoints(store: Store) -> None:
    """The Service, the Deployment or every pod is gone."""
    for each in store.all(ENDPOINT_SLICES):
        store.discard(ENDPOINT_SLICES, each)


VANISHED = [
    _without_config_map,
    _emptied_config_map,
    _config_map_without_its_owner,
    _broken_config_map,
    _no_such_gateway,
    _spec_of_a_newer_crd,
    _host_that_is_none,
    _invalid_edit,
    _being_deleted,
    _gateway_of_a_newer_crd,
    _gateway_that_envoy_must_not_get,
    _gateway_being_deleted,
    _no_endpoints,
]
"""Every source of an attachment, missing or unusable."""


@pytest.mark.parametrize("vanish", VANISHED)
async def test_the_last_attachment_stays(vanish: Callable[[Store], None]) -> None:
    """On every replica: nothing of it waits for the leader."""
    store = cluster(service())
    published = Published()
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()
    before = built(plane, USERS).attached.attachment
    tables = published.snapshots[-1].resources[ROUTES]

    vanish(store)
    plane.mark_all_dirty()
    await plane.build()

    assert before is not None
    assert built(plane, USERS).attached.attachment == before
    assert published.snapshots[-1].resources[ROUTES] == tables
    assert published.snapshots[-1].resources[CLUSTER].keys() == {"shop/users"}
    assert published.snapshots[-1].resources[ENDPOINTS].keys() == {"shop/users"}


HELD = [
    _without_config_map,
    _emptied_config_map,
    _broken_config_map,
    _spec_of_a_newer_crd,
    _invalid_edit,
    _being_deleted,
]


@pytest.mark.parametrize("vanish", HELD)
async def test_hosts_are_held_after_a_restart(vanish: Callable[[Store], None]) -> None:
    """A replica that never saw what is missing knows at least whose hosts they are."""
    store = cluster(service())
    vanish(store)
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()

    attachment = built(plane, USERS).attached.attachment
    assert attachment is not None
    assert attachment.hostnames == ("users.example.com",)


async def test_settings_that_cannot_be_read_offer_nothing() -> None:
    """They may say which protocols are not to be offered."""
    store = cluster(service())
    _spec_of_a_newer_crd(store)
    published = Published()
    plane = control_plane(store, published, [])
    plane.mark_all_dirty()
    await plane.build()

    assert "http/p.S" not in published.snapshots[-1].resources[ROUTES]


async def test_a_host_that_is_none_does_not_become_every_host() -> None:
    """No host at all would mean every one."""
    store = cluster(service())
    _host_that_is_none(store)
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()

    assert built(plane, USERS).attached.attachment is None


async def test_a_service_stays_until_the_gateway_that_it_moves_to_exists() -> None:
    """Its status says where it is; then it leaves the first one."""
    store = cluster(service())
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    _invalid_edit(store)
    plane.mark_dirty(USERS)
    await plane.build()
    gateway = {**HOSTS, "gatewayRef": {"name": "typo"}}
    store.put(GRPC_SERVICES, service(3, gateway=gateway))
    plane.mark_dirty(USERS)
    await plane.build()

    attached = built(plane, USERS).attached
    assert (attached.generation, attached.gateway, attached.invalid) == (3, GATEWAY, None)
    assert attached.refs is not None
    assert attached.refs.message == (
        "spec.gateway.gatewayRef: GrpcGateway typo does not exist in namespace shop;"
        " shop/default admits this namespace; GrpcGateway shop/default serves it until then"
    )


class _Anywhere(Published):
    """Takes the configuration of any gateway."""

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Keeps it."""
        assert gateway.kind == "GrpcGateway"
        self.snapshots.append(snapshot)


@pytest.mark.parametrize(
    ("ref", "end"),
    [
        ({"name": "defualt"}, "in namespace shop; did you mean default?"),
        ({"name": "default", "namespace": "hsop"}, "in namespace hsop; did you mean shop/default?"),
        ({"name": "edge"}, "in namespace shop; shop/default admits this namespace"),
    ],
)
async def test_a_gateway_that_does_not_exist_is_named_with_the_nearest(
    ref: dict[str, str], end: str
) -> None:
    """Before any pod runs, since it is the spec that is wrong."""
    store = cluster(service(gateway={**HOSTS, "gatewayRef": ref}))
    for name in ("edge", "defualt", "default"):  # of others, whose listeners admit only themselves
        secret = owner(GRPC_GATEWAYS, name, {})
        secret["metadata"]["namespace"] = "another"
        store.put(GRPC_GATEWAYS, secret)
    plane = control_plane(store, _Anywhere(), [])
    plane.mark_all_dirty()
    await plane.build()

    state = plane.state(USERS)
    assert isinstance(state, Unresolved)
    assert state.refs.message.endswith(end)


async def test_a_namesake_inherits_nothing() -> None:
    """The same name is another service once the first is deleted."""
    store = cluster(service())
    plane = control_plane(store, Published(), [])
    plane.mark_all_dirty()
    await plane.build()
    store.discard(GRPC_SERVICES, service())
    another = service(5)
    another["metadata"]["uid"] = "uid-another"
    store.put(GRPC_SERVICES, another)
    _without_config_map(store)
    plane.mark_all_dirty()
    await plane.build()

    attachment = built(plane, USERS).attached.attachment
    assert attachment is not None
    assert attachment.apis == ()
