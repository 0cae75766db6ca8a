"""REST routes, which only find the service of a path; its REST scope does the rest.

A service that shares no literal prefix with another one has a route for each of its literal
prefixes; services that share one have a regular expression for each of their paths there. What
matches no method of a service ends in its REST scope with 404, as it would without a route: so the
prefixes may match more than they must, as long as longer ones come first.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import chain

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2

from grpc_operator.gateway import patterns
from grpc_operator.gateway.claims import RestClaim
from grpc_operator.gateway.envoy import (
    allowed_verbs,
    destinations,
    header_matchers,
    metadata_validation,
    proxy_module,
    resource_names,
)
from grpc_operator.gateway.envoy.destinations import Destination
from grpc_operator.gateway.ir import Attachment, Target
from grpc_operator.gateway.patterns import Pattern

_NOT_FOUND = 404
_SEVERAL = 2
Start = tuple[str, RestClaim]
"""A literal prefix, and whose it is."""

Located = tuple[str, route.Route]
"""A route and the literal prefix of the paths that it matches: that path, or what comes after it
and a slash or a colon."""


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


def exact(claims: Sequence[RestClaim], *, beside_grpc: bool) -> tuple[list[Located], list[Start]]:
    """Returns the routes of claims of which some share literal prefixes, and what they do not.

    For each host name: claimed prefixes, then each path whose literal prefix another service has
    too.

    Args:
        claims: The more specific host names first, then the older services.
        beside_grpc: Whether a gRPC service has the same paths; gRPC calls are then left to it.
    """
    contested = _contested(claims)
    made: list[Located] = []
    for group in _by_host(claims):
        made += particular(group, contested, beside_grpc=beside_grpc)
        made += [
            (each, made_route)
            for claim in group
            for each in claim.paths.claimed_prefixes
            for made_route in _by_ways(
                claim, route.RouteMatch(path_separated_prefix=each), beside_grpc=beside_grpc
            )
        ]
        made += _expressions(group, contested, beside_grpc=beside_grpc)
    free = [
        (path, claim)
        for claim in claims
        for path in claim.paths.literal_prefixes
        if path not in contested
    ]
    return made, free


def refused(*, beside_grpc: bool) -> list[route.Route]:
    """Returns where requests end whose metadata is malformed.

    Args:
        beside_grpc: As of ``exact``.
    """
    return metadata_validation.refused("/", [header_matchers.not_grpc()] if beside_grpc else [])


def rest(claims: Iterable[RestClaim]) -> list[route.Route]:
    """Returns where requests end that match none of the expressions: with 405 or 404.

    Those of a service alone end in its REST scope.
    """
    known = dict.fromkeys(pattern for claim in claims for pattern in claim.paths.patterns)
    if not known:
        return []
    made = route.Route(
        name=resource_names.NO_METHOD,
        match=route.RouteMatch(prefix="/"),
        direct_response=route.DirectResponseAction(status=_NOT_FOUND),
    )
    paths = proxy_module.on_route("paths", allowed_verbs.paths(known))
    made.typed_per_filter_config[resource_names.REST_REQUESTS].CopyFrom(paths)
    return [made]


def start(path: str, claim: RestClaim, *, beside_grpc: bool) -> list[route.Route]:
    """Returns the routes of everything that begins like a path; longer ones must come first."""
    return _by_ways(claim, route.RouteMatch(prefix=path), beside_grpc=beside_grpc)


def are_apart(starts: Sequence[Start], others: Sequence[Located]) -> bool:
    """Returns whether the longest start of a path alone decides where it leads.

    So no other route matches a path with a start, and each start has a route for every request.

    Args:
        starts: Those of a virtual host.
        others: Its routes that come before them.
    """
    paths = {path for path, _ in starts}
    prefixes = {prefix for prefix, _ in others}
    return (
        all(_takes_all(claim.attachment) for _, claim in starts)
        and not any(prefix[:end] in paths for prefix in prefixes for end in _ends(prefix))
        and not (
            prefixes and any(path[:end] in prefixes for path in paths for end in _breaks(path))
        )
    )


def _takes_all(of: Attachment) -> bool:
    """Whether requests without a tag are taken, whatever their path: see ``_destinations``."""
    return not of.targets or any(each.percent and each.rest is not None for each in of.targets)


def _ends(path: str) -> range:
    return range(1, len(path) + 1)


def _breaks(path: str) -> list[int]:
    """Returns where a segment or the text before a custom verb ends."""
    return [index for index, char in enumerate(path) if char in "/:" and index]


def particular(
    claims: Iterable[RestClaim], contested: Container[str] = (), *, beside_grpc: bool
) -> list[Located]:
    """Returns a route for each path that some revisions with a share of the calls do not have.

    Before each are those of other paths that match some of the same requests and are more specific.

    Args:
        claims: Of one host, or such as share no literal prefix.
        contested: Literal prefixes whose paths have routes of their own anyway, unless below a
            claimed prefix.
        beside_grpc: As of ``exact``.
    """
    return [
        (pattern.prefix, made)
        for claim in claims
        for pattern in _not_of_all(claim)
        if pattern.prefix not in contested or _is_claimed(claim, pattern)
        for made in _of_pattern(claim, pattern, beside_grpc=beside_grpc)
    ]


def _not_of_all(claim: RestClaim) -> list[Pattern]:
    """Returns the paths that not all revisions have, and what goes before them, in order."""
    sharing = [each for each in claim.attachment.targets if each.percent and each.rest is not None]
    if len(sharing) < _SEVERAL:
        return []
    times = Counter(chain.from_iterable(each.patterns for each in sharing))
    some = [each for each in claim.paths.patterns if 0 < times[each] < len(sharing)]
    found = {
        pattern
        for pattern in claim.paths.patterns
        if pattern in some or any(patterns.precedes(pattern, other) for other in some)
    }
    return sorted(found, key=lambda each: (each.rank, each))


def _is_claimed(claim: RestClaim, pattern: Pattern) -> bool:
    lineage = (pattern.prefix, *patterns.ancestors(pattern.prefix))
    return not set(claim.paths.claimed_prefixes).isdisjoint(lineage)


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
) -> list[Located]:
    """Returns a route for each path whose literal prefix another service has too."""
    rows = [
        (pattern, claim)
        for claim in group
        for pattern in claim.paths.patterns
        if pattern.prefix in contested
    ]
    rows.sort(key=lambda row: (row[0].rank, row[0], row[1].attachment.key))
    return [
        (pattern.prefix, made)
        for pattern, claim in rows
        for made in _of_pattern(claim, pattern, beside_grpc=beside_grpc)
    ]


def _of_pattern(claim: RestClaim, pattern: Pattern, *, beside_grpc: bool) -> list[route.Route]:
    """Returns the routes of requests for a path, and of their preflight requests with CORS."""
    match = route.RouteMatch(safe_regex=regex_pb2.RegexMatcher(regex=pattern.regex))
    if pattern.verb == patterns.ANY_VERB:
        return _by_ways(claim, match, beside_grpc=beside_grpc, pattern=pattern)
    of_verb = route.RouteMatch(headers=[header_matchers.method(pattern.verb)])
    of_verb.MergeFrom(match)
    made = _by_ways(claim, of_verb, beside_grpc=beside_grpc, pattern=pattern)
    if claim.attachment.cors is not None:
        requested = header_matchers.exactly("access-control-request-method", pattern.verb)
        match.headers.extend([header_matchers.method("OPTIONS"), requested])
        # No preflight request has a tag, and every revision has the same policy.
        to = _destinations(claim, pattern)[-1]._replace(tag="")
        made.append(_route(claim.attachment, match, to, beside_grpc=beside_grpc))
    return made


def _by_ways(
    claim: RestClaim,
    match: route.RouteMatch,
    *,
    beside_grpc: bool,
    pattern: Pattern | None = None,
) -> list[route.Route]:
    """Returns the routes of some requests: one, or one for each tag and one for all others.

    Args:
        claim: Whose requests they are.
        match: What matches them.
        beside_grpc: As of ``exact``.
        pattern: The path that they are for; ``None`` for any.
    """
    return [
        _route(claim.attachment, match, to, beside_grpc=beside_grpc)
        for to in _destinations(claim, pattern)
    ]


def _destinations(claim: RestClaim, pattern: Pattern | None) -> list[Destination]:
    """Returns where requests go: those for any path to every revision with REST."""

    def serves(target: Target) -> bool:
        return target.rest is not None and (pattern is None or pattern in target.patterns)

    return destinations.of(claim.attachment, serves)


def _route(
    attachment: Attachment, match: route.RouteMatch, to: Destination, *, beside_grpc: bool
) -> route.Route:
    """Returns a route that never responds: the module redirects the request by its name."""
    made = route.Route(match=match)
    made.match.headers.extend(to.conditions)
    if len(to.targets) > 1:
        made.name = resource_names.SPLIT
        destinations.split(made.route, attachment.sticky, to.targets)
    else:
        made.name = _scope_of(attachment, to)
        made.direct_response.status = _NOT_FOUND
    if beside_grpc:
        made.match.headers.append(header_matchers.not_grpc())
    return made


def _scope_of(attachment: Attachment, to: Destination) -> str:
    """Returns the key of the REST scope; empty, and so 404, of a revision without REST."""
    if not to.targets:
        return resource_names.rest_scope_key(attachment.cluster)
    (target,) = to.targets
    return resource_names.rest_scope_key(target.cluster) if target.rest is not None else ""
