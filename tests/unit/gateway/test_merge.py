"""Conflicts: the older service wins, the younger one gets a problem, and keeps the rest."""

import random
from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.gateway import ir
from grpc_operator.gateway.acceptance import NOTHING, Acceptance
from grpc_operator.gateway.claims import Segment, items
from grpc_operator.gateway.merge import Affected, Merger, Plan, merge
from grpc_operator.resources import Key, service_key
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, method

OLD, NEW = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
WIDE = descriptor({"wide.v1.Wide": [method("Get", "GET /v1/*/x"), method("All", "GET /v1/**")]})
ORDERS = descriptor({"order.v1.Orders": [method("Get", "GET /v1/orders/*")]})


def lost(plan: Plan, name: str) -> list[str]:
    """Returns what a service of the namespace requested and does not get."""
    return [str(problem) for problem in plan.refused.get(service_key("shop", name), ())]


def shown(plan: Plan) -> Any:
    """Returns a plan as values that can be compared."""
    return dict(plan.services), dict(plan.refused), dict(plan.denied)


def claimed(merger: Merger) -> Any:
    """Returns the claims by service and segment, as values that can be compared."""
    return {
        key: {name: _shown(merger.claims(key, name)) for name in served.segments()}
        for key, served in merger.plan.services.items()
    }


def expected(plan: Plan) -> Any:
    """Returns the same of what a plan says."""
    return {
        key: {name: _shown(segment) for name, segment in served.segments().items()}
        for key, served in plan.services.items()
    }


def _shown(segment: Segment) -> Any:
    return (
        [(claim.host, claim.attachment.key, claim.api.name) for claim in segment.grpc],
        [(claim.host, claim.attachment.key, claim.paths) for claim in segment.rest],
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
    served = [{api.name for api in each.grpc} for each in plan.services.values()]
    assert sum("user.v1.UserService" in each for each in served) == 4
    assert all("v1" in each.segments() for each in plan.services.values())


@pytest.mark.parametrize(
    ("ages", "why"),
    [
        ((OLD, NEW), "created earlier"),
        ((OLD, OLD), "created at the same time, and first by name"),
    ],
)
def test_the_older_one_wins_then_the_smaller_key(ages: tuple[str, str], why: str) -> None:
    """The loser learns who, where, why and what to do."""
    first = attached({}, name="first", created=ages[0])
    second = attached({}, name="second", created=ages[1])

    plan = merge(GATEWAY, [second, first])

    assert lost(plan, "first") == []
    by_grpc, by_rest = lost(plan, "second")
    assert by_grpc == (
        f"spec.services: user.v1.UserService is served by shop/first on every host ({why});"
        " choose other hosts in spec.gateway.hostnames, or leave it out of spec.services"
    )
    assert by_rest == (
        "spec.gateway.rest: GET /v1/users of user.v1.UserService is served by shop/first on every"
        f" host ({why}), and 3 more of its paths likewise; choose other hosts in"
        " spec.gateway.hostnames, or take REST out of protocols"
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
        "spec.gateway.expose: grpc.health.v1.Health is served by shop/a on every host"
        " (created earlier); choose other hosts in spec.gateway.hostnames, or do not expose it"
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
        (
            "spec.gateway.hostnames: b.org: the listeners of GrpcGateway infra/default accept"
            " *.example.com only; request a host that they accept, or have a listener added"
        )
    ]


def test_the_loser_is_served_when_the_winner_is_deleted() -> None:
    """The loser itself need not change."""
    first, second = attached({}, name="a", created=OLD), attached({}, name="b")
    merger = Merger()
    merger.update(GATEWAY, [first, second], {})

    affected = merger.update(GATEWAY, [second], {})

    assert merger.plan.refused == {}
    assert affected.services == {service_key("shop", "a"), service_key("shop", "b")}
    assert affected.segments == dict.fromkeys(("user.v1.UserService", "v1"), affected.services)


def test_an_equal_attachment_affects_nothing() -> None:
    """An equal attachment is the same attachment."""
    merger = Merger()
    merger.update(GATEWAY, [attached({}), attached({}, ORDERS, name="orders")], {})

    affected = merger.update(GATEWAY, [attached({}), attached({}, ORDERS, name="orders")], {})

    assert affected == Affected(frozenset(), frozenset(), {})


def test_updates_give_the_plan_of_a_new_merge() -> None:
    """Whatever came before: 200 random changes among conflicting services."""
    chance = random.Random(7)  # noqa: S311 - a repeatable sequence
    names = [f"s{index}" for index in range(8)]
    present: dict[str, ir.Attachment] = {}
    merger = Merger()
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

        merger.update(GATEWAY, order, {})

        fresh = merge(GATEWAY, present.values())
        assert (shown(merger.plan), claimed(merger)) == (shown(fresh), expected(fresh))


@pytest.mark.parametrize("since", [("1", "2"), ("2", "1")])
def test_what_two_leaders_accepted_at_once_is_the_earlier_ones(since: tuple[str, str]) -> None:
    """Whichever object is older; and of what differs, nothing is lost."""
    many = {"p.S": [method(f"M{n}", f"GET /v1/m{n}") for n in range(500)]}
    own = [{**many, f"own.{name}": [method("M", f"GET /{name}")]} for name in "ab"]
    services = [
        attached({}, descriptor(of), name=name, created=created)
        for of, name, created in zip(own, "ab", (OLD, NEW), strict=True)
    ]
    accepted = {
        each.key: NOTHING.renewed(["*"], {item.digest for item in items(each)}, at)
        for each, at in zip(services, since, strict=True)
    }
    winner, loser = services if since == ("1", "2") else services[::-1]

    plan = merge(GATEWAY, services, accepted)

    assert len(plan.services[winner.key].items) == 503
    assert {item.text for item in plan.services[loser.key].items} == {
        f"own.{loser.key.name}",
        f"GET /{loser.key.name}",
    }
    assert all("accepted earlier" in str(each) for each in plan.refused[loser.key])


def test_updates_of_two_namespaces_give_the_plan_of_a_new_merge() -> None:
    """Whatever was accepted before, under grants that overlap, with wildcards of both."""
    chance = random.Random(11)  # noqa: S311 - a repeatable sequence
    both = frozenset({"one", "two"})
    every = (
        ir.Grant("*", both),
        ir.Grant("*.com", frozenset({"one"})),
        ir.Grant("a.com", both),
        ir.Grant("*.b.com", both),
        ir.Grant("y.org", both),
    )
    choices = ["*", "*.com", "a.com", "b.com", "*.b.com", "x.b.com", "y.org", "*.org"]
    gateway = GATEWAY
    present: dict[Key, ir.Attachment] = {}
    accepted: dict[Key, Acceptance] = {}
    merger = Merger()
    merger.update(gateway, [], {})
    for step in range(300):
        namespace, name = chance.choice(["one", "two"]), f"s{chance.randint(0, 3)}"
        made = attached(
            {
                "hostnames": chance.sample(choices, chance.randint(1, 3)),
                "rest": {"prefixes": chance.sample(["/v1", "/v2"], chance.randint(0, 1))},
            },
            chance.choice([USERS, ORDERS, WIDE]),
            name=name,
            namespace=namespace,
            created=chance.choice([OLD, NEW]),
        )
        if made.key in present and chance.random() < 0.3:
            del present[made.key]
            accepted.pop(made.key, None)
        else:
            present[made.key] = made
        for key in chance.sample(sorted(present), min(1, len(present))):
            if key not in merger.plan.services:
                continue
            served = merger.plan.services[key]
            now = f"2026-01-01T00:00:00.{step:06}Z"
            items = {item.digest for item in served.items}
            accepted[key] = accepted.get(key, NOTHING).renewed(served.hosts, items, now)
        if step % 10 == 0:
            grants = tuple(each for each in every if chance.random() < 0.7)
            gateway = replace(GATEWAY, hosts=replace(GATEWAY.hosts, grants=grants))

        merger.update(gateway, list(present.values()), accepted)

        fresh = merge(gateway, present.values(), accepted)
        assert shown(merger.plan) == shown(fresh), step
        assert merger.plan.denied == fresh.denied, step
