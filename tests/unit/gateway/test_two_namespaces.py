"""Two namespaces at one gateway: neither ever answers what the other one has.

Every kind of host, in every relation, with every kind of claim, whoever is older, whenever it was
edited, and after a restart. ``tests/envoy`` asks a real proxy the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from grpc_operator.descriptor.model import Descriptor
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import hosts, ir
from grpc_operator.gateway.acceptance import NOTHING, Acceptance
from grpc_operator.gateway.claims import Item, Served
from grpc_operator.gateway.merge import Merger, Plan
from grpc_operator.resources import Key
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, method

VICTIM, ATTACKER = "one", "two"
OWN_NAME = "default-envoy.one.svc.cluster.local"

HOSTS = {
    "exact": ["b.example.com"],
    "wildcard": ["*.b.example.com"],
    "default": None,
    "every": ["*"],
    "own name": [OWN_NAME],
}
"""What the victim requests; the gateway is in its namespace."""

NEIGHBOURS = {
    "exact": ["b.example.com", "*.example.com", "*.com", "*"],
    "wildcard": ["*.b.example.com", "a.b.example.com", "*.a.b.example.com", "*.example.com", "*"],
    "default": [
        "users.one.grpc.internal",
        "*.one.grpc.internal",
        "one.grpc.internal",
        "*.grpc.internal",
        "x.users.one.grpc.internal",
        "*",
    ],
    "every": ["*", "a.example.com", "*.example.com", OWN_NAME, "two.grpc.internal"],
    "own name": [OWN_NAME, "*.one.svc.cluster.local", "*.svc.cluster.local", "*"],
}
"""What the attacker requests: the same, more specific, and broader."""

CLAIMS: dict[str, tuple[Descriptor, list[str]]] = {
    "gRPC service": (descriptor({"user.v1.UserService": [method("GetUser")]}), []),
    "equal path": (descriptor({"x.X": [method("Get", "GET /v1/users/*")]}), []),
    "path above": (descriptor({"x.X": [method("Get", "GET /v1/**")]}), []),
    "path below": (descriptor({"x.X": [method("Get", "GET /v1/users/me")]}), []),
    "path beside a wildcard": (descriptor({"x.X": [method("Get", "GET /v1/*/me")]}), []),
    "other verb": (descriptor({"x.X": [method("Put", "PUT /v1/users/*")]}), []),
    "prefix": (descriptor({"x.X": [method("Get", "GET /v2/x")]}), ["/v1"]),
    "path of a gRPC service": (
        descriptor({"x.X": [method("Get", "POST /user.v1.UserService/GetUser")]}),
        [],
    ),
}
HARMLESS_API = descriptor({"y.Y": [method("Get", "GET /y")]})
OLD, NEW = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"

GRANTS = {
    "nothing": (),
    "the same": tuple(
        ir.Grant(host, frozenset({VICTIM, ATTACKER}))
        for host in ("*", "*.b.example.com", "b.example.com", OWN_NAME)
    ),
    "every host": (ir.Grant("*", frozenset({VICTIM, ATTACKER})),),
    "reserved": (
        ir.Grant("*", frozenset({VICTIM, ATTACKER})),
        ir.Grant("b.example.com", frozenset({VICTIM})),
        ir.Grant("*.b.example.com", frozenset({VICTIM})),
    ),
}
"""What the administrator has granted."""


def gateway(grants: Iterable[ir.Grant]) -> ir.GatewayIr:
    """Returns a gateway in the victim's namespace."""
    key = GATEWAY.key._replace(namespace=VICTIM)
    policy = ir.HostPolicy(key, "grpc.internal", tuple(grants), (OWN_NAME,))
    return replace(GATEWAY, key=key, hosts=policy)


@cache
def victim(kind: str, created: str = NEW) -> ir.Attachment:
    """Returns the service whose calls are at stake."""
    return attached({"hostnames": HOSTS[kind]}, USERS, namespace=VICTIM, created=created)


@cache
def attacker(host: str, claim: str, created: str = NEW) -> ir.Attachment:
    """Returns a service that requests what the victim has, or a part of it."""
    of, prefixes = CLAIMS[claim]
    given: dict[str, Any] = {"hostnames": [host], "rest": {"prefixes": prefixes}}
    return attached(given, of, name="evil", namespace=ATTACKER, created=created)


HARMLESS = attached({"hostnames": None}, HARMLESS_API, name="evil", namespace=ATTACKER, created=OLD)
"""What the attacker's object was before it was edited."""


def accepted(plan: Plan, now: str, before: Mapping[Key, Acceptance]) -> dict[Key, Acceptance]:
    """Returns what the leader writes, as a replica reads it."""
    renewed = {
        key: before.get(key, NOTHING).renewed(each.hosts, {i.digest for i in each.items}, now)
        for key, each in plan.services.items()
    }
    written = {key: each.wire(GATEWAY.key) for key, each in renewed.items()}
    return {key: Acceptance.read({"claims": each}, GATEWAY.key) for key, each in written.items()}


def common(first: Served, second: Served) -> Iterator[tuple[str, Item, Item]]:
    """Yields requests that two services of different namespaces would both answer.

    Where one host covers another, only the more specific one's owner answers.
    """
    for host in set(first.hosts) & set(second.hosts):
        for one in first.items:
            for other in second.items:
                if _overlap(one.parts, other.parts):
                    yield host, one, other


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return one == other or "**" in (*one[:1], *other[:1])
    if "**" in {one[0], other[0]}:
        return True
    return (one[0] == other[0] or "*" in {one[0], other[0]}) and _overlap(one[1:], other[1:])


def served(plan: Plan, namespace: str) -> Served:
    """Returns what the service of a namespace serves."""
    return next(each for key, each in plan.services.items() if key.namespace == namespace)


def taken(before: Served, plan: Plan, key: Key, policy: ir.HostPolicy) -> list[str]:
    """Returns what the victim has lost: on its hosts, or on more specific ones.

    What the administrator gave others by name was never its own.
    """
    after = plan.services[key]
    named = {grant.hostname for grant in policy.grants}
    lost = [f"host {host}" for host in before.hosts if host not in after.hosts]
    lost += [f"{item.kind} {item.text}" for item in before.items - after.items]
    other = served(plan, ATTACKER)
    home = f"{VICTIM}.{policy.domain}"
    lost += [f"home {host}" for host in other.hosts if host == home or hosts.below(host, home)]
    own = {host for host in other.hosts if host != hosts.ANY and hosts.covers(host, OWN_NAME)}
    lost += [f"name of the gateway {host}" for host in own - named]
    lost += [
        f"{below} below {host}"
        for host in before.hosts
        for below in other.hosts
        if below != host
        and hosts.covers(host, below)
        and below not in named
        and not hosts.below(below, f"{ATTACKER}.{policy.domain}")
        and below != f"{ATTACKER}.{policy.domain}"
    ]
    return lost


def refusals(plan: Plan) -> list[str]:
    """Returns why the attacker does not get what it requested."""
    key = served(plan, ATTACKER).attachment.key
    denied = [why for _, why in plan.denied.get(key, ())]
    return [*denied, *(str(each) for each in plan.refused.get(key, ()))]


@pytest.mark.parametrize("granted", GRANTS)
@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_what_was_accepted_stays_whatever_another_namespace_requests(
    granted: str, kind: str, claim: str
) -> None:
    """By an object that is younger, older, or older and edited later; and after a restart."""
    at = gateway(GRANTS[granted])
    mine = victim(kind)
    key = mine.key
    alone = Merger()
    alone.update(at, [mine], {})
    had = alone.plan.services[key]
    assert had.hosts
    first = accepted(alone.plan, "2026-02-01T00:00:00.000000Z", {})
    for host in NEIGHBOURS[kind]:
        for created in (OLD, NEW):
            evil = attacker(host, claim, created)
            merger = Merger()
            merger.update(at, [mine, HARMLESS], first)
            both = accepted(merger.plan, "2026-02-02T00:00:00.000000Z", first)
            edited, restarted = Merger(), Merger()
            edited.update(at, [mine, HARMLESS], both)
            edited.update(at, [mine, evil], both)
            restarted.update(at, [mine, evil], both)
            for how, plan in (("edited", edited.plan), ("restarted", restarted.plan)):
                where = f"{how}, {created}, {host}"
                assert taken(had, plan, key, at.hosts) == [], where
                assert list(common(plan.services[key], served(plan, ATTACKER))) == [], where
                for text in refusals(plan):
                    assert any(way in text for way in ("choose", "request a host")), text


@pytest.mark.parametrize("granted", GRANTS)
@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("ages", [(OLD, NEW), (NEW, OLD), (NEW, NEW)], ids=["older", "younger", ""])
def test_two_new_services_never_answer_the_same_request(
    granted: str, kind: str, claim: str, ages: tuple[str, str]
) -> None:
    """Whoever wins; and acceptance changes nothing, nor does the order of arrival."""
    at = gateway(GRANTS[granted])
    for host in NEIGHBOURS[kind]:
        mine, evil = victim(kind, ages[0]), attacker(host, claim, ages[1])
        plans = []
        for order in ([mine, evil], [evil, mine]):
            merger = Merger()
            merger.update(at, order, {})
            plans.append(merger.plan)
        merger.update(at, order, accepted(merger.plan, "2026-02-01T00:00:00.000000Z", {}))
        plans.append(merger.plan)
        for plan in plans:
            assert plan.services == plans[0].services, host
            assert list(common(served(plan, VICTIM), served(plan, ATTACKER))) == [], host


@pytest.mark.parametrize(
    "host", ["b.example.com.", "B.example.com", "b.example.com:80", "10.0.0.1", "[::1]", "b..com"]
)
def test_another_spelling_of_a_host_is_not_another_host(host: str) -> None:
    """Proxies ignore case, ports and a trailing dot; so none of them can be requested."""
    with pytest.raises(InvalidSpecError) as caught:
        attacker(host, "gRPC service")
    (problem,) = caught.value.problems
    assert problem.field == "spec.gateway.hostnames[0]"
    assert "in lower case, without a port or a trailing dot" in problem.message
