"""The cost of an attachment bounds what is built of it: counterexamples are searched for."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings, target
from hypothesis import strategies as st

from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.descriptor.model import Method
from grpc_operator.gateway import cost, ir
from grpc_operator.gateway.budget_accounts import Limits
from grpc_operator.gateway.cost import Cost
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.snapshot import ROUTES, Snapshot
from grpc_operator.gateway.split import Share, split
from tests import route_tables
from tests.unit.gateway import GATEWAY, attached, descriptor, method

SEGMENTS = ("v1", "users", "a" * 60, "x.y", "*")
HOSTS = ("a.example.com", "b.example.com", "*.example.com", "*.b.example.com", "c.b.example.com")
LONG = tuple(f"{number}.{'h' * 60}.{'i' * 60}.{'j' * 60}.com" for number in range(11))
LISTENERS = (
    ir.Listener("http", 10080),
    ir.Listener("wide", 10081, "*.example.com"),
    ir.Listener("one", 10082, "a.example.com"),
)
CORS = (
    None,
    {"allowOrigins": ["*"]},
    {
        "allowOrigins": [f"https://*.{number}.{'o' * 200}.com" for number in range(32)],
        "allowHeaders": [f"h{number}-{'h' * 50}" for number in range(32)],
        "exposeHeaders": [f"e{number}-{'e' * 50}" for number in range(32)],
    },
)

paths = st.lists(st.sampled_from(SEGMENTS), max_size=4).map(lambda rest: "/".join(("v1", *rest)))
first = st.sampled_from(["v1", "v2", "w", "p.S0"])
bindings = st.lists(
    st.tuples(st.sampled_from(["GET", "POST", "DELETE"]), first, paths).map(
        lambda each: f"{each[0]} /{each[1]}/{each[2]}"
    ),
    max_size=4,
)
methods = st.lists(bindings, min_size=1, max_size=4)
services = st.lists(methods, min_size=1, max_size=3)
gateways = st.fixed_dictionaries(
    {
        "hostnames": st.lists(st.sampled_from((*HOSTS, *LONG)), max_size=16, unique=True),
        "cors": st.sampled_from(CORS),
        "protocols": st.lists(
            st.sampled_from(["GRPC", "GRPCWeb", "REST"]), min_size=1, max_size=3, unique=True
        ),
        "expose": st.sampled_from([None, ["Health", "Reflection"]]),
        "rest": st.fixed_dictionaries(
            {
                "prefixes": st.lists(
                    st.sampled_from(["/v1", "/v1/users", "/v9/" + "p" * 200]), unique=True
                ),
            }
        ),
    }
)


def made(gateway: dict[str, Any], of: list[list[list[str]]], name: str) -> ir.Attachment:
    """Returns an attachment of services with these bindings by method."""
    given = {key: value for key, value in gateway.items() if value}
    if "REST" not in gateway["protocols"] or not any(each for one in of for each in one):
        given.pop("rest", None)
        given["protocols"] = [each for each in gateway["protocols"] if each != "REST"] or ["GRPC"]
    seen: set[str] = set()
    listed: dict[str, Iterable[Method]] = {
        f"p.S{number}": [method(f"M{index}", *_new(one, seen)) for index, one in enumerate(ones)]
        for number, ones in enumerate(of)
    }
    return attached(given, descriptor(listed), name=name)


def _new(paths: list[str], seen: set[str]) -> list[str]:
    """Returns those that no method has yet: of two equal ones, one is served."""
    new = [path for path in dict.fromkeys(paths) if path not in seen]
    seen.update(new)
    return new


def built(snapshot: Snapshot) -> tuple[Cost, int]:
    """Returns what a snapshot has of route tables, and routes of any kind together."""
    found, routes = Cost(), 0
    for name, resource in snapshot.resources[ROUTES].items():
        table = route_tables.table(resource)
        if name.startswith("~rest/"):
            methods_of_rest = [each for each in table.virtual_hosts[0].routes if each.match.path]
            found += Cost(rest_methods=len(methods_of_rest))
            continue
        found += Cost(
            tables=1, virtual_hosts=len(table.virtual_hosts), size=len(resource.body.value)
        )
        routes += sum(len(each.routes) for each in table.virtual_hosts)
    return found, routes


def _split(of: ir.Attachment, tags: tuple[str, ...], new: list[list[str]]) -> ir.Attachment:
    """Returns revisions of a service, of which the last has more methods and a gRPC service."""
    seen: set[str] = set()
    listed: dict[str, Iterable[Method]] = {
        f"p.S{number}": [
            method(f"N{number}{index}", *_new([f"{each}/{number}/n" for each in one], seen))
            for index, one in enumerate(new)
        ]
        for number in (0, 9)
    }
    listed["p.S9"] = [*listed["p.S9"], method("Extra", "GET /w/extra")]
    other = attached({}, descriptor(listed), name=of.key.name)
    if of.rest is not None:
        rest = replace(of.rest, descriptor=b"d" * 100)
    newer = replace(of, apis=(*of.apis[1:], *other.apis), rest=of.rest and rest)
    names = (of.key.name, *(f"{of.key.name}-0a1b2c{number:02}" for number in range(len(tags))))
    shares = [
        Share(name, newer if number else of, 100 // len(names), tag, number * 10)
        for number, (name, tag) in enumerate(zip(names, ("", *tags), strict=True))
    ]
    return split(shares, ir.Sticky(header="h" * 64), tag_hosts=True)


def _without_probes(snapshot: Snapshot, empty: Snapshot) -> Snapshot:
    """Returns a snapshot without the tables that every gateway has."""
    named = snapshot.resources[ROUTES]
    own = {name: each for name, each in named.items() if name not in empty.resources[ROUTES]}
    return replace(snapshot, resources={**snapshot.resources, ROUTES: own})


@pytest.mark.parametrize("contested", [False, True])
@given(gateway=gateways, of=services)
@example(
    gateway={
        "hostnames": [*HOSTS, *LONG],
        "cors": CORS[2],
        "protocols": ["GRPC", "GRPCWeb", "REST"],
        "expose": None,
        "rest": {"prefixes": ["/v9/" + "p" * 200]},
    },
    of=[[["GET /v1/a/*", "POST /v1/a/*"], []]],
)
def test_nothing_that_is_built_exceeds_its_cost(
    *, contested: bool, gateway: dict[str, Any], of: list[list[list[str]]]
) -> None:
    """Tables, virtual hosts, routes and bytes, alone and beside a service with the same paths.

    The search maximizes what is built for what was computed.
    """
    services = [made(gateway, of, "a")]
    if contested:
        # On the same hosts, below the same literal prefixes: so every path needs an expression.
        services.append(replace(_renamed(services[0]), created="2027-01-01T00:00:00Z"))
    here = replace(GATEWAY, listeners=LISTENERS)
    empty, _ = SnapshotBuilder().build(here, [], {})
    snapshot, _ = SnapshotBuilder().build(here, services, {})
    actual, routes = built(_without_probes(snapshot, empty))
    bound = sum((cost.of(LISTENERS, each) for each in services), Cost())

    assert actual.tables <= bound.tables
    assert actual.virtual_hosts <= bound.virtual_hosts
    assert routes <= bound.grpc_routes + bound.rest_routes
    assert actual.rest_methods <= bound.rest_methods
    assert actual.size <= bound.size
    target(actual.size / bound.size)


@settings(max_examples=40)
@given(
    gateway=gateways,
    of=services,
    new=methods,
    tags=st.lists(st.sampled_from(["", "a", "b" * 20]), min_size=1, max_size=3),
)
def test_nothing_that_is_built_of_revisions_exceeds_its_cost(
    gateway: dict[str, Any], of: list[list[list[str]]], new: list[list[str]], tags: list[str]
) -> None:
    """With tags and their hosts, and paths that not all of them have."""
    attachment = _split(made(gateway, of, "a"), tuple(tags), new)
    here = replace(GATEWAY, listeners=LISTENERS)
    empty, _ = SnapshotBuilder().build(here, [], {})
    snapshot, _ = SnapshotBuilder().build(here, [attachment], {})
    actual, routes = built(_without_probes(snapshot, empty))
    bound = cost.of(LISTENERS, attachment)

    assert actual.tables <= bound.tables
    assert actual.virtual_hosts <= bound.virtual_hosts
    assert routes <= bound.grpc_routes + bound.rest_routes
    assert actual.rest_methods <= bound.rest_methods
    assert _shares(snapshot) <= bound.shares
    assert actual.size <= bound.size
    target(actual.size / bound.size)


def _shares(snapshot: Snapshot) -> int:
    """Returns the number of clusters of all routes that split calls."""
    return sum(
        len(each.route.weighted_clusters.clusters)
        for resource in snapshot.resources[ROUTES].values()
        for host in route_tables.table(resource).virtual_hosts
        for each in host.routes
    )


def test_each_revision_costs_its_descriptor() -> None:
    """Envoy parses that of each."""
    of = attached({}, descriptor({"p.S": [method("M", "GET /v1/x")]}))
    both = split([Share("users", of, 90), Share("users-2", of, 10)])

    assert cost.of(LISTENERS, both).descriptor == 2 * cost.of(LISTENERS, of).descriptor


def _renamed(attachment: ir.Attachment) -> ir.Attachment:
    """Returns another service with the same hosts and paths, but other verbs and gRPC services."""
    other = {"GET": "PUT", "POST": "PATCH", "DELETE": "OPTIONS"}
    apis = tuple(
        replace(
            api,
            name=f"q{api.name}",
            methods=tuple(
                replace(
                    each,
                    bindings=tuple(
                        replace(binding, verb=other[binding.verb]) for binding in each.bindings
                    ),
                )
                for each in api.methods
            ),
        )
        for api in attachment.apis
    )
    rest = attachment.rest
    return replace(
        attachment,
        key=attachment.key._replace(name="b"),
        apis=apis,
        rest=replace(rest, prefixes=()) if rest is not None else None,
    )


def test_routes_of_a_large_real_api_fit() -> None:
    """Compute Engine: 900 methods in 100 services, at three hosts."""
    listed: dict[str, Iterable[Method]] = {
        f"google.cloud.compute.v1.Service{number}": [
            method(f"Method{index}", f"GET /compute/v1/projects/*/s{number}/*/m{index}")
            for index in range(9)
        ]
        for number in range(100)
    }
    attachment = attached({"hostnames": ["a.com"]}, descriptor(listed))

    assert cost.of(LISTENERS[:1], attachment).memory < Limits.of(GrpcGatewaySpec()).service


def test_hosts_times_bindings_times_listeners_is_what_counts() -> None:
    """The object of the review: small, and two gigabytes in each proxy."""
    listed: dict[str, Iterable[Method]] = {
        "p.S": [method(f"M{index}", f"GET /v1/x{index}/*") for index in range(200)]
    }
    hosts = {"hostnames": [f"h{number}.example.com" for number in range(16)]}
    one = cost.of(LISTENERS[:1], attached({}, descriptor(listed)))
    many = cost.of(LISTENERS[:2], attached(hosts, descriptor(listed)))

    assert many.rest_routes == 32 * one.rest_routes
    assert many.grpc_routes == 32 * one.grpc_routes
    assert many.memory > Limits.of(GrpcGatewaySpec()).service > 2 * one.memory
