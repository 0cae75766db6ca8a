"""The claims on one first path segment -> its virtual hosts at one listener."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway import hosts
from grpc_operator.gateway.claims import GrpcClaim, RestClaim, Segment
from grpc_operator.gateway.envoy import grpc_routes, rest_routes
from grpc_operator.gateway.envoy.protobuf import serialised
from grpc_operator.gateway.ir import Api, Attachment

_CACHED = 1024
"""gRPC services whose routes are cached, at about 8 KiB each."""

RoutesOfClaims = dict[tuple[str, RestClaim, bool], bytes]
"""Routes of literal prefixes, by that, the claim, and whether they are beside gRPC routes."""

_Claim = TypeVar("_Claim", GrpcClaim, RestClaim)


class Claimed(NamedTuple):
    """What is claimed on one virtual host.

    Attributes:
        grpc: At most one.
        rest: The more specific host names first, then the older services.
    """

    domain: str
    grpc: tuple[GrpcClaim, ...]
    rest: tuple[RestClaim, ...]


def claimed(segment: Segment, listener: str | None) -> list[Claimed]:
    """Returns what is claimed on each virtual host for one segment, sorted by domain.

    Envoy searches one virtual host only, the most specific: so each also has the REST claims of the
    broader ones, after its own.

    Args:
        segment: Every claim on it, each list from the oldest service on.
        listener: Host name of the listener; ``None`` for any.
    """
    grpc = _Domains(segment.grpc, listener)
    rest = _Domains(segment.rest, listener)
    return [
        Claimed(domain, grpc.at(domain)[:1], rest.at(domain))
        for domain in sorted({*grpc.claims, *rest.claims})
    ]


def build(of: Claimed, known: RoutesOfClaims) -> bytes:
    """Returns a virtual host, serialised.

    Args:
        of: What is claimed on it.
        known: Routes made before; gets those that are made now.
    """
    frame = route.VirtualHost(name=of.domain, domains=[of.domain])
    parts = _rest(of, known) if of.rest else []
    for claim in of.grpc:
        before, after = _grpc(_apart_from_hosts(claim.attachment), claim.api)
        parts = [before, *parts, after]
    return b"".join((serialised(frame), *parts))


@lru_cache(maxsize=_CACHED)
def _grpc(attachment: Attachment, api: Api) -> tuple[bytes, bytes]:
    """Returns what comes before and after REST routes: most of the work, and the same on all hosts.

    Args:
        attachment: Only with what these routes are made of.
        api: One of its gRPC services.
    """
    before, after = grpc_routes.preflight(attachment, api), grpc_routes.build(attachment, api)
    return _routes(before), _routes(after)


def _apart_from_hosts(attachment: Attachment) -> Attachment:
    return replace(attachment, created="", hostnames=(), apis=(), rest=None)


def _rest(of: Claimed, known: RoutesOfClaims) -> list[bytes]:
    beside_grpc = bool(of.grpc)
    separate, shared = rest_routes.split(of.rest)
    exact, starts = rest_routes.exact(shared, beside_grpc=beside_grpc)
    starts += [(path, claim) for claim in separate for path in claim.paths.starts]
    starts.sort(key=_longest_first)
    parts = [_routes(rest_routes.head(of.rest)), _routes(exact)]
    for path, claim in starts:
        key = (path, claim, beside_grpc)
        if key not in known:
            known[key] = _routes([rest_routes.start(path, claim, beside_grpc=beside_grpc)])
        parts.append(known[key])
    return parts


def _longest_first(start: rest_routes.Start) -> tuple[int, str]:
    return -len(start[0]), start[0]


def _routes(of: list[route.Route]) -> bytes:
    """Returns routes as bytes of a virtual host; joined bytes are the joined lists."""
    return serialised(route.VirtualHost(routes=of))


class _Domains(Generic[_Claim]):
    """Claims of one kind by the domain that they have at a listener."""

    def __init__(self, claims: Iterable[_Claim], listener: str | None) -> None:
        self.claims: dict[str, list[_Claim]] = defaultdict(list)
        for claim in claims:
            domain = hosts.intersect(listener, claim.host)
            if domain is not None:
                self.claims[domain].append(claim)
        self._wide = {domain for domain in self.claims if domain.startswith(hosts.ANY)}

    def at(self, domain: str) -> tuple[_Claim, ...]:
        """Returns the claims on a domain and on broader ones, the more specific hosts first."""
        found = [*self.claims.get(domain, ())]
        if self._wide:
            for broader in hosts.broader(domain, self._wide):
                found += self.claims[broader]
            if len({claim.host for claim in found}) > 1:
                found.sort(key=lambda claim: hosts.specificity(claim.host))
        return tuple(found)
