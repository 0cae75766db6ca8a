"""Route tables: which request finds which route."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.gateway import ir
from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.snapshot import Snapshot
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, method, snapshot_of, tables

DEFAULT_HOSTS = f"*.{GATEWAY.hosts.domain}"
"""Reserved: no service of every host answers there."""


def hosts(snapshot: Snapshot, table: str) -> dict[str, Any]:
    """Returns the virtual hosts of a table by domain."""
    found = {each.domains[0]: each for each in tables(snapshot)[table].virtual_hosts}
    return {domain: each for domain, each in found.items() if domain != DEFAULT_HOSTS}


def serving(virtual_host: Any) -> list[Any]:
    """Returns its routes without those that refuse malformed metadata."""
    return [route for route in virtual_host.routes if not _refuses(route)]


def _refuses(route: Any) -> bool:
    return any(each.name == resource_names.MALFORMED_HEADER for each in route.match.headers)


def seen(virtual_host: Any) -> list[str]:
    """Returns those routes as short texts: what they match, and where they lead."""
    return [_text(route) for route in serving(virtual_host)]


def _text(route: Any) -> str:
    kind = route.match.WhichOneof("path_specifier")
    path = getattr(route.match, kind)
    verbs = [each.string_match.exact for each in route.match.headers if each.name == ":method"]
    target = route.route.cluster or route.name or str(route.direct_response.status)
    parts = [*verbs, kind, path.regex if kind == "safe_regex" else path, "->", target]
    return " ".join(parts)


def test_grpc_has_a_route_for_each_method() -> None:
    """By each protocol; escaped paths and unknown methods after them, other content last."""
    name = "/user.v1.UserService/"
    calls = [
        *(
            f"path {name}{each} -> shop/users"
            for each in ("GetUser", "CreateUser", "ListUsers", "SyncUsers")
        )
    ]
    unknown = f"prefix {name} -> shop/users"

    made = hosts(snapshot_of(attached()), "http/user.v1.UserService")["*"]

    assert seen(made) == [
        *calls,
        *calls,
        f"prefix {name} -> 404",
        unknown,
        unknown,
        f"prefix {name} -> 415",
    ]


def test_malformed_metadata_is_refused_before_a_call_is_served() -> None:
    """Each word of the module has its status; REST is refused without a condition."""
    made = snapshot_of(attached({"cors": {"allowOrigins": ["https://a.com"]}}))
    of_grpc, of_rest = (
        hosts(made, table)["*"].routes for table in ("http/user.v1.UserService", "http/v1")
    )

    assert [_refuses(route) for route in of_grpc[:4]] == [False, True, True, False]  # preflight
    for routes in (of_grpc[1:3], of_rest[:2]):
        assert [
            (each.match.headers[0].string_match.prefix, each.direct_response.status)
            for each in routes
        ] == [("unsupported ", 501), ("malformed ", 400)]


def test_metadata_that_a_server_wants_is_not_refused() -> None:
    """Only REST is: the transcoder would read it."""
    made = snapshot_of(attached({"metadataValidation": "Disabled"}))

    assert not any(map(_refuses, hosts(made, "http/user.v1.UserService")["*"].routes))
    assert any(map(_refuses, hosts(made, "http/v1")["*"].routes))


def test_only_grpc_web_passes_its_filter() -> None:
    """Each filter costs a call about as much as choosing its route."""
    made = hosts(snapshot_of(attached()), "http/user.v1.UserService")["*"]

    of_web = [resource_names.GRPC_WEB in each.typed_per_filter_config for each in serving(made)]
    assert of_web == [*[False] * 4, *[True] * 4, False, False, True, False]


def test_unknown_methods_are_not_counted() -> None:
    """Anybody could make up any number of them."""
    made = hosts(snapshot_of(attached()), "http/user.v1.UserService")["*"]

    for route in made.routes:
        assert route.name == route.match.path.removeprefix("/")


def test_rest_has_one_route_for_all_that_begins_alike() -> None:
    """Whatever its custom verbs."""
    assert seen(hosts(snapshot_of(attached()), "http/v1")["*"]) == [
        "prefix /v1/users -> shop~users"
    ]


def test_longer_beginnings_come_first() -> None:
    """A route matches more than it must only where nobody else has something longer."""
    more = descriptor({"more.v1.More": [method("Get", "GET /v1/users-more")]})
    other = descriptor({"other.v1.Other": [method("Get", "GET /v1/u/*")]})

    snapshot = snapshot_of(
        attached(), attached({}, more, name="more"), attached({}, other, name="other")
    )

    assert seen(hosts(snapshot, "http/v1")["*"]) == [
        "prefix /v1/users-more -> shop~more",
        "prefix /v1/users -> shop~users",
        "prefix /v1/u -> shop~other",
    ]


def test_shared_beginnings_have_a_route_for_each_path() -> None:
    """The more literal first, each with its verb; what is not shared keeps its one route."""
    other = descriptor(
        {
            "other.v1.Other": [
                method("Orders", "GET /v1/users/*/orders"),
                method("Put", "PUT /v1/users/**"),
                method("Else", "GET /v1/else/*"),
            ]
        }
    )

    snapshot = snapshot_of(attached(), attached({}, other, name="other"))

    assert seen(hosts(snapshot, "http/v1")["*"]) == [
        "GET safe_regex /v1/users/[^/]+/orders -> shop~other",
        "GET safe_regex /v1/users -> shop~users",
        "POST safe_regex /v1/users -> shop~users",
        "GET safe_regex /v1/users/[^/]+ -> shop~users",
        "PUT safe_regex /v1/users(/.*)? -> shop~other",
        "prefix /v1/users:sync -> shop~users",
        "prefix /v1/else -> shop~other",
        "prefix / -> ~",
    ]


def test_a_claimed_prefix_goes_before_every_other_host() -> None:
    """On its own host; on the others it claims nothing."""
    claims = attached({"hostnames": ["a.com"], "rest": {"prefixes": ["/v1/users"]}}, name="claims")

    made = hosts(snapshot_of(claims, attached()), "http/v1")

    assert seen(made["a.com"])[0] == "path_separated_prefix /v1/users -> shop~claims"
    assert seen(made["*"]) == ["prefix /v1/users -> shop~users"]


def test_narrow_hosts_have_the_rest_routes_of_wide_ones() -> None:
    """Envoy searches one virtual host only."""
    narrow = attached({"hostnames": ["a.example.com"]}, name="narrow")
    orders = descriptor({"order.v1.Orders": [method("Get", "GET /v1/orders/*")]})
    wide = attached({"hostnames": ["*.example.com"]}, orders, name="wide")
    every = descriptor({"item.v1.Items": [method("Get", "GET /v1/items/*")]})

    made = hosts(snapshot_of(narrow, wide, attached({}, every, name="every")), "http/v1")

    assert {domain: len(serving(each)) for domain, each in made.items()} == {
        "a.example.com": 3,
        "*.example.com": 2,
        "*": 1,
    }


def test_the_narrower_host_has_the_grpc_service() -> None:
    """Two services may offer the same API, one of them on every host."""
    own = attached({"hostnames": ["a.com"]}, name="own")

    made = hosts(snapshot_of(own, attached()), "http/user.v1.UserService")

    assert {domain: serving(each)[0].route.cluster for domain, each in made.items()} == {
        "a.com": "shop/own",
        "*": "shop/users",
    }


def test_a_listener_serves_its_own_hosts_only() -> None:
    """What is narrower stays, what is wider is cut, what is elsewhere is not there."""
    listener = ir.Listener("http", 10080, "*.example.com")
    of = [
        attached({"hostnames": ["a.example.com"]}, name="in"),
        attached({"hostnames": ["a.org"]}, name="out"),
        attached({}, name="all"),
    ]

    made = snapshot_of(*of, gateway=replace(GATEWAY, listeners=(listener,)))

    assert set(hosts(made, "http/v1")) == {"a.example.com", "*.example.com"}


@pytest.mark.parametrize(
    ("protocols", "refused", "passed"),
    [
        (
            ["GRPC", "GRPCWeb"],
            ["text/plain", ""],
            ["application/grpc", "application/grpc-web+proto"],
        ),
        (["GRPC"], ["application/grpc-web"], ["application/grpc", "application/grpc+proto"]),
        (["GRPCWeb"], ["application/grpc"], ["application/grpc-web", "application/grpc-web-text"]),
    ],
)
def test_protocols_not_offered_are_refused(
    protocols: list[str], refused: list[str], passed: list[str]
) -> None:
    """By their content type."""
    made = hosts(snapshot_of(attached({"protocols": protocols})), "http/user.v1.UserService")["*"]

    assert {_answered(made, each) for each in refused} == {415}
    assert {_answered(made, each) for each in passed} == {"shop/users"}


def _answered(virtual_host: Any, content_type: str) -> str | int:
    """Returns the cluster or status that a call with a content type ends at."""
    for route in serving(virtual_host):
        if all(_matches(each, content_type) for each in route.match.headers):
            return str(route.route.cluster) or int(route.direct_response.status)
    raise AssertionError(f"no route for {content_type!r}")


def _matches(header: Any, value: str) -> bool:
    if header.name == ":path":  # only of escaped paths
        return False
    return bool(value.startswith(header.string_match.prefix) != header.invert_match)


def test_rest_only_has_no_grpc_routes() -> None:
    """Not even a table."""
    assert "http/user.v1.UserService" not in tables(snapshot_of(attached({"protocols": ["REST"]})))


def test_the_probe_reaches_health_checks_only() -> None:
    """Under its own host name, whatever is exposed."""
    snapshot = snapshot_of(attached({"expose": ["Health"]}))
    made = hosts(snapshot, "http/grpc.health.v1.Health")

    (route,) = made["probe.invalid"].routes
    assert route.match.path == "/grpc.health.v1.Health/Check"
    assert route.route.cluster_header == "x-grpc-operator-cluster"
    assert set(made) == {"*", "probe.invalid"}


def test_headers_of_the_gateway_itself_stay_inside() -> None:
    """No server sees them, nor what only the transcoder and its filter say."""
    for name, table in tables(snapshot_of(attached(), attached({}, USERS, name="b"))).items():
        of_rest = [
            *("x-envoy-original-path", "x-envoy-original-method"),
            *("grpc-accept-encoding", "grpc-encoding", "grpc-previous-rpc-attempts"),
        ]
        assert list(table.request_headers_to_remove) == [
            "x-grpc-operator-scope",
            resource_names.MALFORMED_HEADER,
            "x-grpc-operator-cluster",
            "x-envoy-external-address",
            *(of_rest if name.startswith(resource_names.REST_SCOPE) else ()),
        ]


def test_preflight_requests_are_found_before_anything_else() -> None:
    """They have no content type, and would be refused for that."""
    cors = {"cors": {"allowOrigins": ["https://a.com"]}}
    made = hosts(snapshot_of(attached(cors)), "http/user.v1.UserService")["*"]

    assert seen(made)[0] == "OPTIONS prefix /user.v1.UserService/ -> shop/users"
    assert all("envoy.filters.http.cors" in each.typed_per_filter_config for each in made.routes)
