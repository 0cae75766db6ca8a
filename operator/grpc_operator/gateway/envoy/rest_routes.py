"""REST routes, which only find the service of a path; its REST scope does the rest.

A service that shares no literal prefix with another one has a route for each of its literal
prefixes; services that share one have a regular expression for each of their paths there. What
matches no method of a service ends in its REST scope with 404, as it would without a route: so the
prefixes may match more than they must, as long as longer ones come first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2

from grpc_operator.gateway import patterns
from grpc_operator.gateway.claims import RestClaim
from grpc_operator.gateway.envoy import header_matchers, resource_names
from grpc_operator.gateway.ir import Attachment
from grpc_operator.gateway.patterns import Pattern

_NOT_FOUND = 404
Start = tuple[str, RestClaim]
"""A literal prefix, and whose it is."""


def split(claims: Sequence[RestClaim]) -> tuple[Sequence[RestClaim], Sequence[RestClaim]]:
    """Returns the claims that share no literal prefix with another one, and the others."""
    paths = [claim.paths for claim in claims]
    at = Counter(chain.from_iterable(each.topmost for each in paths))
    above: set[str] = set().union(*(each.above for each in paths))
    shared = {path for path, times in at.items() if times > 1 or path in above}
    if not shared:
        return claims, ()
    separate = [claim for claim in claims if shared.isdisjoint(claim.paths.lineage)]
    return separate, [claim for claim in claims if not shared.isdisjoint(claim.paths.lineage)]


def exact(
    claims: Sequence[RestClaim], *, beside_grpc: bool
) -> tuple[list[route.Route], list[Start]]:
    """Returns the routes of claims of which some share literal prefixes, and what they do not.

    For each host name: claimed prefixes, then each path whose literal prefix another service has
    too.

    Args:
        claims: The more specific host names first, then the older services.
        beside_grpc: Whether a gRPC service has the same paths; gRPC calls are then left to it.
    """
    contested = _contested(claims)
    made: list[route.Route] = []
    for group in _by_host(claims):
        made += [
            _route(claim, route.RouteMatch(path_separated_prefix=each), beside_grpc=beside_grpc)
            for claim in group
            for each in claim.paths.claimed_prefixes
        ]
        made += _expressions(group, contested, beside_grpc=beside_grpc)
    free = [
        (path, claim)
        for claim in claims
        for path in claim.paths.literal_prefixes
        if path not in contested
    ]
    return made, free


def head(claims: Iterable[RestClaim]) -> list[route.Route]:
    """Returns where HEAD ends if a service accepts any verb: here, before the transcoder.

    Envoy 1.40 would write a body after the response, which the client then takes for the beginning
    of its next response.
    """
    if not any(claim.paths.any_verb for claim in claims):
        return []
    refused = route.DirectResponseAction(status=_NOT_FOUND)
    match = route.RouteMatch(prefix="/", headers=[header_matchers.method("HEAD")])
    return [route.Route(match=match, direct_response=refused)]


def start(path: str, claim: RestClaim, *, beside_grpc: bool) -> route.Route:
    """Returns the route of everything that begins like a path; longer ones must come first."""
    return _route(claim, route.RouteMatch(prefix=path), beside_grpc=beside_grpc)


def _by_host(claims: Iterable[RestClaim]) -> list[list[RestClaim]]:
    groups: dict[str, list[RestClaim]] = defaultdict(list)
    for claim in claims:
        groups[claim.host].append(claim)
    return list(groups.values())


def _contested(claims: Iterable[RestClaim]) -> set[str]:
    """Returns the literal prefixes at, above or below which another service has one too."""
    at: dict[str, set[str]] = defaultdict(set)
    at_or_below: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        for prefix in claim.paths.literal_prefixes:
            at[prefix].add(claim.attachment.cluster)
        for path in claim.paths.lineage:
            at_or_below[path].add(claim.attachment.cluster)
    return {
        prefix
        for prefix, mine in at.items()
        if len(at_or_below[prefix]) > 1
        or any(at.get(above, mine) != mine for above in patterns.ancestors(prefix))
    }


def _expressions(
    group: Iterable[RestClaim], contested: set[str], *, beside_grpc: bool
) -> list[route.Route]:
    """Returns a route for each path whose literal prefix another service has too."""
    rows = [
        (pattern, claim)
        for claim in group
        for pattern in claim.paths.patterns
        if pattern.prefix in contested
    ]
    rows.sort(key=lambda row: (row[0].rank, row[0], row[1].attachment.key))
    return [
        _route(claim, match, beside_grpc=beside_grpc)
        for pattern, claim in rows
        for match in _matches(pattern, claim.attachment)
    ]


def _matches(pattern: Pattern, attachment: Attachment) -> list[route.RouteMatch]:
    """Returns what matches requests for a path, and their preflight requests with CORS."""
    conditions: list[list[route.HeaderMatcher]] = [[]]  # any verb: preflight requests included
    if pattern.verb != patterns.ANY_VERB:
        conditions = [[header_matchers.method(pattern.verb)]]
        if attachment.cors is not None:
            requested = header_matchers.exactly("access-control-request-method", pattern.verb)
            conditions.append([header_matchers.method("OPTIONS"), requested])
    expression = regex_pb2.RegexMatcher(regex=pattern.regex)
    return [route.RouteMatch(safe_regex=expression, headers=each) for each in conditions]


def _route(claim: RestClaim, match: route.RouteMatch, *, beside_grpc: bool) -> route.Route:
    """Returns a route that never responds: the script redirects the request by the route's name."""
    made = route.Route(
        name=resource_names.rest_scope_key(claim.attachment.key),
        match=match,
        direct_response=route.DirectResponseAction(status=_NOT_FOUND),
    )
    if beside_grpc:
        made.match.headers.append(header_matchers.not_grpc())
    return made
