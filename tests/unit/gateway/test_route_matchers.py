"""Routes found by prefix are those that a request would find in the list of all of them."""

import re
from collections.abc import Sequence
from unittest import mock

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grpc_operator.descriptor.model import Descriptor
from grpc_operator.gateway import ir
from grpc_operator.gateway.envoy import resource_names, rest_on_host
from grpc_operator.gateway.snapshot import ROUTES
from grpc_operator.gateway.split import Share, split
from tests import route_tables
from tests.unit.gateway import attached, descriptor, message, method, snapshot_of

SEGMENTS = ("a", "ab", "abc", "b", "*")
MANY = 10**9

paths = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map(
    lambda parts: "/".join(("/v1", *parts))
)
bindings = st.builds(
    lambda verb, path, custom: f"{verb} {path}{custom}",
    st.sampled_from(("GET", "POST", "*")),
    paths,
    st.sampled_from(("", "", "/**", ":x")),
)
services = st.lists(
    st.tuples(st.lists(bindings, min_size=1, max_size=4), st.booleans(), st.booleans()),
    min_size=1,
    max_size=6,
)
requests = st.tuples(
    st.sampled_from(("GET", "POST")),
    st.lists(
        st.sampled_from(("a", "ab", "abc", "abcd", "b", "c", "a:x", "b:x", "")), max_size=4
    ).map(lambda parts: "/".join(("/v1", *parts))),
)


@settings(max_examples=200, deadline=None)
@given(services, st.lists(requests, min_size=1, max_size=20))
@example([(["GET /v1/a/*"], False, False), (["GET /v1/ab/*"], False, False)], [("GET", "/v1/ab")])
@example([(["GET /v1/a/*"], False, True), (["GET /v1/ab/*"], False, False)], [("GET", "/v1/abc")])
def test_a_request_finds_the_same_route_by_prefix_and_in_order(
    of: Sequence[tuple[list[str], bool, bool]], asked: list[tuple[str, str]]
) -> None:
    """Whatever paths the services of a host share, and however many revisions these have."""
    attachments = [
        _attachment(number, paths, with_cors=with_cors, revised=revised)
        for number, (paths, with_cors, revised) in enumerate(of)
    ]
    by_prefix, in_order = (_hosts(attachments, few) for few in (-1, MANY))

    for verb, path in asked:
        assert _found(by_prefix, verb, path) == _found(in_order, verb, path), (verb, path)


def test_many_services_on_a_host_are_found_by_prefix() -> None:
    """Also beside services that share a literal prefix, whose paths are compared one by one."""
    apart = [[f"GET /v1/apart{number}/*"] for number in range(rest_on_host.FEW + 1)]
    shared = [["GET /v1/shared/*"], ["POST /v1/shared/*"]]
    every = [_attachment(number, of) for number, of in enumerate([*apart, *shared])]

    matcher = _hosts(every, rest_on_host.FEW).matcher.on_no_match.matcher

    by_prefix = matcher.matcher_tree.prefix_match_map.map
    assert sorted(by_prefix) == [f"/v1/apart{number}" for number in range(len(apart))]
    assert _found(_hosts(every, rest_on_host.FEW), "POST", "/v1/shared/x") == "shop~s6"


def test_malformed_requests_are_refused_before_a_prefix_is_looked_up() -> None:
    """By the words of the module, which the routes of the action compare."""
    attachments = [_attachment(number, [f"GET /v1/s{number}"]) for number in range(9)]

    (refuses,) = _hosts(attachments, rest_on_host.FEW).matcher.matcher_list.matchers

    predicate = refuses.predicate.single_predicate
    assert predicate.value_match.contains == " "
    assert resource_names.MALFORMED_HEADER.encode() in predicate.input.typed_config.value
    found = route.RouteList()
    assert refuses.on_match.action.typed_config.Unpack(found)
    assert [each.direct_response.status for each in found.routes] == [501, 400]


def _attachment(
    number: int, of: list[str], *, with_cors: bool = False, revised: bool = False
) -> ir.Attachment:
    """Returns a service; with two revisions, the second lacks the last path if there are more."""
    gateway = {"cors": {"allowOrigins": ["https://a.com"]}} if with_cors else {}
    name = f"s{number}"
    unique = list(dict.fromkeys(of))
    made = [
        attached(gateway, _descriptor(number, chosen), name=name)
        for chosen in ([unique, unique[:-1] or unique] if revised else [unique])
    ]
    if not revised:
        return made[0]
    return split([Share(name, made[0], 60), Share(f"{name}-2", made[1], 40)])


def _descriptor(number: int, of: list[str]) -> Descriptor:
    return descriptor({f"p.S{number}": [method(f"M{n}", each) for n, each in enumerate(of)]})


def _hosts(attachments: Sequence[ir.Attachment], few: int) -> route.VirtualHost:
    """Returns the virtual host of every host, as Envoy gets it."""
    with mock.patch.object(rest_on_host, "FEW", few):
        made = snapshot_of(*attachments).resources[ROUTES]["http/v1"]
    table = message(made, route_pb2.RouteConfiguration)
    (found,) = (each for each in table.virtual_hosts if "*" in each.domains)
    return found


def _found(host: route.VirtualHost, verb: str, path: str) -> str | None:
    """Returns the name of the route that a well-formed request finds."""
    matcher = host.matcher
    while matcher.on_no_match.HasField("matcher"):
        matcher = matcher.on_no_match.matcher
    by_prefix = matcher.matcher_tree.prefix_match_map.map
    known = [prefix for prefix in by_prefix if path.startswith(prefix)]
    way = by_prefix[max(known, key=len)] if known else matcher.on_no_match
    if not way.WhichOneof("on_match"):
        return None
    for each in route_tables.routes(way):
        if _matches(each.match, verb, path):
            return str(each.name or each.direct_response.status)
    return None


def _matches(match: route.RouteMatch, verb: str, path: str) -> bool:
    headers = {":method": verb}
    if not all(headers.get(each.name) == each.string_match.exact for each in match.headers):
        return False
    if match.HasField("safe_regex"):
        return re.fullmatch(match.safe_regex.regex, path) is not None
    if match.path_separated_prefix:
        return f"{path}/".startswith(f"{match.path_separated_prefix}/")
    return path.startswith(match.prefix)
