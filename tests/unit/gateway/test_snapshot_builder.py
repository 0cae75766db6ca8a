"""Snapshots: complete, stable, and the same however they came about."""

import random
from dataclasses import replace

from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.route.v3 import scoped_route_pb2

from grpc_operator.descriptor.model import Descriptor
from grpc_operator.gateway import ir
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE, Snapshot
from grpc_operator.gateway.split import Share, split
from grpc_operator.resources import service_key
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, message, method, snapshot_of

ORDERS = descriptor({"order.v1.Orders": [method("Get", "GET /v1/orders/*")]})
HERE = (ir.Endpoint("10.0.0.1", 50051), ir.Endpoint("10.0.0.2", 50051, draining=True, zone="b"))


def changed(old: Snapshot, new: Snapshot) -> set[tuple[str, str]]:
    """Returns type and name of every resource that differs."""
    return {
        (type_url.rpartition(".")[2], name)
        for type_url in old.resources
        for name in old.resources[type_url].keys() | new.resources[type_url].keys()
        if old.resources[type_url].get(name) != new.resources[type_url].get(name)
    }


def test_names_say_what_resources_are_for() -> None:
    """And nothing else: no counter, no hash."""
    resources = snapshot_of(attached()).resources
    tables = {
        "http/grpc.health.v1.Health",
        "http/user.v1.UserService",
        "http/v1",
        "~rest/shop~users",
    }

    assert {type_url: set(named) for type_url, named in resources.items()} == {
        LISTENER: {"10080"},
        CLUSTER: {"shop/users"},
        ENDPOINTS: {"shop/users"},
        ROUTES: tables,
        SCOPE: tables,
    }


def test_every_scope_has_its_table_and_its_two_keys() -> None:
    """The keys are the two parts of the name."""
    resources = snapshot_of(attached(), attached({}, ORDERS, name="orders")).resources

    for name, resource in resources[SCOPE].items():
        scope = message(resource, scoped_route_pb2.ScopedRouteConfiguration)
        assert scope.route_configuration_name == name
        assert "/".join(part.string_key for part in scope.key.fragments) == name
        assert name in resources[ROUTES]


def test_scopes_are_applied_before_the_scopes_that_send_there() -> None:
    """Stages: a request is never sent on to a scope that does not exist yet."""
    resources = snapshot_of(attached()).resources
    stages = {
        "http/grpc.health.v1.Health": 0,
        "http/user.v1.UserService": 0,
        "http/v1": 1,
        "~rest/shop~users": 0,
    }

    for type_url in (ROUTES, SCOPE):
        assert {name: each.stage for name, each in resources[type_url].items()} == stages


def test_resources_of_one_service_name_it() -> None:
    """So that a rejection is reported to the right one."""
    resources = snapshot_of(attached(), attached({}, ORDERS, name="orders")).resources
    owners = {
        name: resource.owner for named in resources.values() for name, resource in named.items()
    }

    assert owners == {
        "10080": None,
        "http/grpc.health.v1.Health": None,
        "http/v1": None,
        "http/user.v1.UserService": service_key("shop", "users"),
        "http/order.v1.Orders": service_key("shop", "orders"),
        "shop/users": service_key("shop", "users"),
        "shop/orders": service_key("shop", "orders"),
        "~rest/shop~users": service_key("shop", "users"),
        "~rest/shop~orders": service_key("shop", "orders"),
    }


def test_resources_of_several_services_name_all_of_them() -> None:
    """So that a rejection holds back nobody else; all share the probe's table and the listeners."""
    other = attached({}, descriptor({"a.B": [method("C", "GET /v2/c")]}), name="other")
    resources = snapshot_of(attached(), attached({}, ORDERS, name="orders"), other).resources
    concerned = {
        name: each.concerned for named in resources.values() for name, each in named.items()
    }

    assert concerned["http/v1"] == {service_key("shop", "users"), service_key("shop", "orders")}
    assert resources[SCOPE]["http/v1"].concerned == resources[ROUTES]["http/v1"].concerned
    assert concerned["http/v2"] == {service_key("shop", "other")}
    assert concerned["10080"] == concerned["http/grpc.health.v1.Health"] == {None}


def test_a_change_changes_only_what_belongs_to_it() -> None:
    """One service's policy is one service's resources."""
    builder, orders = SnapshotBuilder(), attached({}, ORDERS, name="orders")
    old, _ = builder.build(GATEWAY, [attached(), orders], {})

    new, _ = builder.build(GATEWAY, [attached({"timeouts": {"request": "1s"}}), orders], {})

    assert changed(old, new) == {
        ("RouteConfiguration", "http/user.v1.UserService"),
        ("RouteConfiguration", "~rest/shop~users"),
    }
    assert {
        key for key in old.config_hashes if old.config_hashes[key] != new.config_hashes[key]
    } == {service_key("shop", "users")}


def test_endpoints_change_nothing_else() -> None:
    """Pods come and go without a route being parsed again; proxies have to learn of them."""
    builder = SnapshotBuilder()
    old, _ = builder.build(GATEWAY, [attached()], {})

    new, _ = builder.build(GATEWAY, [attached()], {"shop/users": HERE})

    assert changed(old, new) == {("ClusterLoadAssignment", "shop/users")}
    assert old.config_hashes != new.config_hashes
    made = message(new.resources[ENDPOINTS]["shop/users"], endpoint_pb2.ClusterLoadAssignment)
    assert [(of.locality.zone, len(of.lb_endpoints)) for of in made.endpoints] == [
        ("", 1),
        ("b", 1),
    ]


def test_a_gone_service_leaves_nothing() -> None:
    """Every one of its resources goes with it."""
    builder = SnapshotBuilder()
    empty, _ = builder.build(GATEWAY, [], {})
    builder.build(GATEWAY, [attached()], {"shop/users": HERE})

    emptied, _ = builder.build(GATEWAY, [], {})

    assert emptied == empty


def test_a_lost_conflict_changes_the_config_hash() -> None:
    """The service is not served as before, though it requests the same."""
    users = attached()
    older = attached({}, name="older", created="2020-01-01T00:00:00Z")

    alone, beside = snapshot_of(users), snapshot_of(users, older)

    assert alone.config_hashes[users.key] != beside.config_hashes[users.key]


def test_another_listener_changes_every_config_hash() -> None:
    """There is one more way to reach each service."""
    more = replace(GATEWAY, listeners=(*GATEWAY.listeners, ir.Listener("more", 10081)))
    builder = SnapshotBuilder()
    old, _ = builder.build(GATEWAY, [attached()], {})

    new, _ = builder.build(more, [attached()], {})

    assert old.config_hashes != new.config_hashes
    assert {"more/v1", "more/user.v1.UserService"} < set(new.resources[ROUTES])


def test_a_renamed_listener_is_the_same_resource() -> None:
    """Envoy would reject a second one on the port before the first is gone."""
    renamed = replace(GATEWAY, listeners=(ir.Listener("web", 10080),))

    assert set(snapshot_of(gateway=renamed).resources[LISTENER]) == {"10080"}


def test_the_order_of_attachments_makes_no_difference() -> None:
    """Two replicas of the operator, which saw events in different order, say the same."""
    of = [attached({"hostnames": [f"{name}.com"]}, name=name) for name in "abcdef"]

    assert snapshot_of(*of) == snapshot_of(*reversed(of))


def test_any_history_ends_in_the_same_snapshot() -> None:
    """100 random changes: what a builder remembers never shows."""
    chance = random.Random(3)  # noqa: S311 - a repeatable sequence
    builder = SnapshotBuilder()
    present: dict[str, ir.Attachment] = {}
    for _ in range(100):
        name = chance.choice("abcdef")
        if name in present and chance.random() < 0.3:
            del present[name]
        else:
            hosts = chance.sample(["a.com", "b.com", "*.com"], chance.randint(0, 2)) or ["*"]
            gateway = {"hostnames": hosts, "timeouts": {"request": f"{chance.randint(1, 2)}s"}}
            present[name] = attached(gateway, chance.choice([USERS, ORDERS]), name=name)
        endpoints = {f"shop/{name}": HERE[: chance.randint(0, 2)] for name in present}
        of = chance.sample(list(present.values()), len(present))

        snapshot, plan = builder.build(GATEWAY, of, endpoints)
        new, fresh = SnapshotBuilder().build(GATEWAY, list(present.values()), endpoints)
        assert (snapshot, plan.refused) == (new, fresh.refused)


def _revisions(
    percent: int = 10, of: Descriptor = USERS, *, tag: str = "", mirror: int = 0
) -> ir.Attachment:
    """Returns two revisions of the users, of which the second has a share."""
    stable = Share("users", attached(), 100 - percent)
    return split([stable, Share("users-2", attached({}, of), percent, tag, mirror)])


def test_a_changed_share_changes_only_routes_that_split_calls() -> None:
    """Neither a cluster nor a descriptor is sent again."""
    builder = SnapshotBuilder()
    old, _ = builder.build(GATEWAY, [_revisions(10)], {})

    new, _ = builder.build(GATEWAY, [_revisions(25)], {})

    assert changed(old, new) == {
        ("RouteConfiguration", "http/user.v1.UserService"),
        ("RouteConfiguration", "http/v1"),
    }
    assert old.config_hashes != new.config_hashes


def test_what_any_revision_is_changes_the_config_hash() -> None:
    """Its endpoints and descriptor, its tag and mirrored calls."""
    other = descriptor({"user.v1.UserService": USERS.services[0].methods[:2]})
    endpoints = {"shop/users@2": HERE}
    snapshots = [
        snapshot_of(_revisions()),
        SnapshotBuilder().build(GATEWAY, [_revisions()], endpoints)[0],
        snapshot_of(_revisions(of=replace(USERS, data=b"other"))),
        snapshot_of(_revisions(of=other)),
        snapshot_of(_revisions(tag="next")),
        snapshot_of(_revisions(mirror=1)),
    ]
    hashes = {snapshot.config_hashes[service_key("shop", "users")] for snapshot in snapshots}

    assert len(hashes) == len(snapshots)


def test_a_revision_that_is_gone_leaves_nothing() -> None:
    """Its cluster, endpoints and REST scope; what is left is as if built afresh."""
    builder = SnapshotBuilder()
    both, _ = builder.build(GATEWAY, [_revisions()], {"shop/users@2": HERE})
    assert "shop/users@2" in both.resources[ENDPOINTS]
    assert "~rest/shop~users@2" in both.resources[SCOPE]

    one, _ = builder.build(GATEWAY, [attached()], {})

    assert one == snapshot_of(attached())


def test_a_changed_idempotency_level_changes_what_is_mirrored() -> None:
    """The merger must not take such a service for the same."""
    (api,) = USERS.services
    read_only = replace(api, methods=(replace(api.methods[0], read_only=True), *api.methods[1:]))
    builder = SnapshotBuilder()
    old, _ = builder.build(GATEWAY, [_revisions(mirror=10)], {})

    declared = replace(USERS, services=(read_only,))
    shares = [
        Share("users", attached({}, declared), 90),
        Share("users-2", attached({}, declared), 10, mirror_percent=10),
    ]
    new, _ = builder.build(GATEWAY, [split(shares)], {})

    assert changed(old, new) == {
        ("RouteConfiguration", "http/user.v1.UserService"),
        ("RouteConfiguration", "~rest/shop~users"),
    }
