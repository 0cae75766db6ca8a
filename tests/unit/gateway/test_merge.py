"""Conflicts: the older service wins, the younger one gets a problem, and keeps the rest."""

import random
from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.gateway import ir
from grpc_operator.gateway.merge import Merger, Plan, merge
from grpc_operator.resources import service_key
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, method

OLD, NEW = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
ORDERS = descriptor({"order.v1.Orders": [method("Get", "GET /v1/orders/*")]})


def lost(plan: Plan, name: str) -> list[str]:
    """Returns what a service of the namespace requested and does not get."""
    return [str(problem) for problem in plan.refused.get(service_key("shop", name), ())]


def shown(plan: Plan) -> Any:
    """Returns a plan as values that can be compared."""
    return (
        dict(plan.services),
        dict(plan.refused),
        {
            name: (
                [(claim.host, claim.attachment.key, claim.api.name) for claim in segment.grpc],
                [(claim.host, claim.attachment.key, claim.paths) for claim in segment.rest],
            )
            for name, segment in plan.segments.items()
        },
    )


def test_separate_services_do_not_conflict() -> None:
    """The same API on different hosts, and different ones on the same host."""
    plan = merge(
        GATEWAY,
        [
            attached({"hostnames": ["a.com"]}, name="one"),
            attached({"hostnames": ["b.com"]}, name="two"),
            attached({"hostnames": ["*.com"]}, name="three"),
            attached({}, name="four"),
            attached({}, ORDERS, name="five"),
        ],
    )

    assert plan.refused == {}
    assert len(plan.segments["user.v1.UserService"].grpc) == 4
    assert len(plan.segments["v1"].rest) == 5


@pytest.mark.parametrize("ages", [(OLD, NEW), (OLD, OLD)])
def test_the_older_one_wins_then_the_smaller_key(ages: tuple[str, str]) -> None:
    """The loser learns who, where and what to do."""
    first = attached({}, name="first", created=ages[0])
    second = attached({}, name="second", created=ages[1])

    plan = merge(GATEWAY, [second, first])

    assert lost(plan, "first") == []
    by_grpc, by_rest = lost(plan, "second")
    assert by_grpc == (
        "spec.services: user.v1.UserService is served by the older shop/first on every host;"
        " choose other hostnames in spec.gateway.hostnames, or leave it out of spec.services"
    )
    assert by_rest == (
        "spec.gateway.rest: GET /v1/users of user.v1.UserService is served by the older"
        " shop/first on every host; choose other hostnames, or take REST out of protocols"
    )
    assert plan.services[service_key("shop", "second")].grpc == ()


def test_the_loser_keeps_everything_else() -> None:
    """One contested service takes nothing from the others of the same object."""
    both = descriptor(
        {service.name: service.methods for of in (USERS, ORDERS) for service in of.services}
    )

    plan = merge(GATEWAY, [attached({}, created=OLD, name="a"), attached({}, both, name="b")])

    assert [api.name for api in plan.services[service_key("shop", "b")].grpc] == ["order.v1.Orders"]
    assert [api.name for api in plan.services[service_key("shop", "b")].rest] == ["order.v1.Orders"]


def test_paths_conflict_whatever_their_variables_are_called() -> None:
    """Another gRPC service with the same paths loses REST, not gRPC."""
    other = descriptor({"people.v1.People": [method("Get", "GET /v1/users/*")]})

    plan = merge(GATEWAY, [attached({}, created=OLD, name="a"), attached({}, other, name="b")])

    assert [problem.field for problem in plan.refused[service_key("shop", "b")]] == [
        "spec.gateway.rest"
    ]
    assert [api.name for api in plan.services[service_key("shop", "b")].grpc] == [
        "people.v1.People"
    ]


def test_other_verbs_of_a_path_are_free() -> None:
    """A collection may be read from one service and written to another."""
    other = descriptor({"people.v1.People": [method("Put", "PUT /v1/users/*")]})

    assert merge(GATEWAY, [attached({}, name="a"), attached({}, other, name="b")]).refused == {}


def test_exposed_infrastructure_conflicts_by_its_own_field() -> None:
    """A host has one health service."""
    of = {"expose": ["Health"], "protocols": ["GRPC"]}
    plan = merge(GATEWAY, [attached(of, name="a"), attached(of, ORDERS, name="b", created="2027")])

    (text,) = lost(plan, "b")
    assert text == (
        "spec.gateway.expose: grpc.health.v1.Health is served by the older shop/a on every host;"
        " choose other hostnames, or do not expose it"
    )


@pytest.mark.parametrize(
    ("first", "second", "loses"),
    [
        (["/v1/users"], ["/v1/users"], ["spec.gateway.rest.prefixes"]),
        (["/v1"], ["/v1/orders"], ["spec.gateway.rest", "spec.gateway.rest.prefixes"]),
        (["/v1/orders/x"], ["/v1/orders"], ["spec.gateway.rest.prefixes"]),
        ([], ["/v1/users"], ["spec.gateway.rest.prefixes"]),
        ([], ["/v1"], ["spec.gateway.rest.prefixes"]),
        (["/v1/orders"], [], ["spec.gateway.rest"]),
        (["/v1/ord"], ["/v1/orders"], []),
    ],
)
def test_claimed_prefixes(first: list[str], second: list[str], loses: list[str]) -> None:
    """A claim holds for everything below it, and needs that nothing exists there yet."""
    plan = merge(
        GATEWAY,
        [
            attached({"rest": {"prefixes": first}}, name="a", created=OLD),
            attached({"rest": {"prefixes": second}}, ORDERS, name="b"),
        ],
    )

    assert lost(plan, "a") == []
    assert [problem.field for problem in plan.refused.get(service_key("shop", "b"), ())] == loses


def test_a_host_without_listener_is_named() -> None:
    """The service would wait for requests that cannot come."""
    gateway = replace(GATEWAY, listeners=(ir.Listener("http", 80, "*.example.com"),))

    plan = merge(gateway, [attached({"hostnames": ["a.example.com", "b.org"]})])

    assert lost(plan, "users") == [
        "spec.gateway.hostnames: b.org: gateway infra/default has listeners for *.example.com only"
    ]


def test_the_loser_is_served_when_the_winner_is_deleted() -> None:
    """The loser itself need not change."""
    first, second = attached({}, name="a", created=OLD), attached({}, name="b")
    merger = Merger(GATEWAY)
    merger.update([first, second])

    affected = merger.update([second])

    assert merger.plan.refused == {}
    assert affected.services == {service_key("shop", "a"), service_key("shop", "b")}
    assert affected.segments == {"user.v1.UserService", "v1"}


def test_an_equal_attachment_affects_nothing() -> None:
    """An equal attachment is the same attachment."""
    merger = Merger(GATEWAY)
    merger.update([attached({}), attached({}, ORDERS, name="orders")])

    affected = merger.update([attached({}), attached({}, ORDERS, name="orders")])

    assert (affected.services, affected.segments) == (frozenset(), frozenset())


def test_updates_give_the_plan_of_a_new_merge() -> None:
    """Whatever came before: 200 random changes among conflicting services."""
    chance = random.Random(7)  # noqa: S311 - a repeatable sequence
    names = [f"s{index}" for index in range(8)]
    present: dict[str, ir.Attachment] = {}
    merger = Merger(GATEWAY)
    for _ in range(200):
        name = chance.choice(names)
        if name in present and chance.random() < 0.3:
            del present[name]
        else:
            present[name] = attached(
                {
                    "hostnames": chance.sample(["a.com", "b.com", "*.com"], chance.randint(1, 2)),
                    "rest": {
                        "prefixes": chance.sample(["/v1", "/v1/users", "/v2"], chance.randint(0, 1))
                    },
                },
                chance.choice([USERS, ORDERS]),
                name=name,
                created=chance.choice([OLD, NEW]),
            )
        order = chance.sample(list(present.values()), len(present))

        merger.update(order)

        assert shown(merger.plan) == shown(merge(GATEWAY, present.values()))
