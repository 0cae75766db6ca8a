"""The claims on one first path segment -> its virtual hosts at one listener."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway import hosts
from grpc_operator.gateway.claims import GrpcClaim, RestClaim, Segment
from grpc_operator.gateway.envoy import grpc_routes, rest_routes, table_parts
from grpc_operator.gateway.envoy.protobuf import serialised
from grpc_operator.gateway.host_owners import HostOwners
from grpc_operator.gateway.ir import Api, Attachment, Target
from grpc_operator.gateway.snapshot import Part

_CACHED = 1024
"""gRPC services whose routes are cached, at about 8 KiB each."""

RoutesOfClaims = dict[tuple[str, RestClaim, bool], bytes]
"""Routes of literal prefixes, by that, the claim, and whether they are beside gRPC routes."""

_Claim = TypeVar("_Claim", GrpcClaim, RestClaim)


class Claimed(NamedTuple):
    """What is claimed on one virtual host.

    Attributes:
        domains: At least one.
        grpc: At most one.
        rest: The more specific host names first, then the older services.
    """

    domains: tuple[str, ...]
    grpc: tuple[GrpcClaim, ...]
    rest: tuple[RestClaim, ...]


def claimed(segment: Segment, owners: HostOwners) -> list[Claimed]:
    """Returns what is claimed on each virtual host for one segment.

    Envoy searches one virtual host only, the most specific: so each also has the REST claims of the
    broader ones, after its own. Of those, a host has the claims of its owners alone; one on which
    they claim nothing has a virtual host without routes, where a broader one of another namespace
    would answer (docs/adr/0025).

    Args:
        segment: Every claim on it, each list from the oldest service on.
        owners: Whose the hosts of the listener are.
    """
    grpc, rest = _Domains(segment.grpc, owners), _Domains(segment.rest, owners)
    own = {*grpc.claims, *rest.claims}
    wide = grpc.wide | rest.wide
    entries = owners.entries(grpc.namespaces | rest.namespaces)
    domains: dict[tuple[tuple[GrpcClaim, ...], tuple[RestClaim, ...]], list[str]] = {}
    for domain in (*sorted(own), *_covered(entries.owned, wide, own)):
        of_rest = tuple(each for each in rest.at(domain) if _is_compared(each, domain, owners))
        domains.setdefault((grpc.at(domain)[:1], of_rest), []).append(domain)
    found = [Claimed(tuple(names), *claims) for claims, names in domains.items()]
    others = _covered(entries.others, wide, own)
    return [*found, Claimed(others, (), ())] if others else found


def _covered(names: tuple[str, ...], wide: set[str], own: set[str]) -> tuple[str, ...]:
    """Returns those of some domains that wildcards cover, without the ones that have claims.

    Mostly that is all of them, and there can be thousands.
    """
    if hosts.ANY in wide and own.isdisjoint(names):
        return names
    return tuple(
        name
        for name in names
        if name not in own and (hosts.ANY in wide or any(hosts.broader(name, wide)))
    )


def _is_compared(claim: RestClaim, domain: str, owners: HostOwners) -> bool:
    """Whether a claim was compared with those of all other owners of a domain.

    Paths of one host were; of a broader one of the same namespace they may overlap others.
    """
    return claim.host == owners.nearest(domain) or not owners.is_shared(domain)


def build(of: Claimed, known: RoutesOfClaims) -> Part:
    """Returns a virtual host.

    Args:
        of: What is claimed on it.
        known: Routes made before; gets those that are made now.
    """
    parts = _rest(of, known) if of.rest else []
    for claim in of.grpc:
        before, after = _grpc(_apart_from_hosts(claim.attachment, claim.api), claim.api)
        parts = [before, *parts, after]
    services = {claim.attachment.key for claim in of.grpc}
    services |= {claim.attachment.key for claim in of.rest}
    return table_parts.part(of.domains, frozenset(services), b"".join(parts))


@lru_cache(maxsize=_CACHED)
def _grpc(attachment: Attachment, api: Api) -> tuple[bytes, bytes]:
    """Returns what comes before and after REST routes: most of the work, and the same on all hosts.

    Args:
        attachment: Only with what these routes are made of.
        api: One of its gRPC services.
    """
    before, after = grpc_routes.preflight(attachment, api), grpc_routes.build(attachment, api)
    return _routes(before), _routes(after)


def _apart_from_hosts(attachment: Attachment, api: Api) -> Attachment:
    return replace(
        attachment,
        created="",
        hostnames=(),
        listeners=None,
        apis=(),
        rest=None,
        targets=tuple(_with_only(api, each) for each in attachment.targets),
        tag_hosts=(),
    )


def _with_only(api: Api, target: Target) -> Target:
    apis = tuple(each for each in target.apis if each.name == api.name)
    return replace(target, apis=apis, rest=None)


def _rest(of: Claimed, known: RoutesOfClaims) -> list[bytes]:
    beside_grpc = bool(of.grpc)
    separate, shared = rest_routes.split(of.rest)
    exact, starts = rest_routes.exact(shared, beside_grpc=beside_grpc)
    starts += [(path, claim) for claim in separate for path in claim.paths.starts]
    starts.sort(key=_longest_first)
    parts = [_routes([*rest_routes.particular(separate, beside_grpc=beside_grpc), *exact])]
    for path, claim in starts:
        key = (path, claim, beside_grpc)
        if key not in known:
            known[key] = _routes(rest_routes.start(path, claim, beside_grpc=beside_grpc))
        parts.append(known[key])
    if not beside_grpc:  # whose routes come after these
        parts.append(_routes(rest_routes.rest(shared)))
    return parts


def _longest_first(start: rest_routes.Start) -> tuple[int, str]:
    return -len(start[0]), start[0]


def _routes(of: list[route.Route]) -> bytes:
    """Returns routes as bytes of a virtual host; joined bytes are the joined lists."""
    return serialised(route.VirtualHost(routes=of))


class _Domains(Generic[_Claim]):
    """Claims of one kind by the domain that they have at a listener.

    Attributes:
        wide: The domains that cover others.
        namespaces: Those that claim something on them.
    """

    def __init__(self, claims: Iterable[_Claim], owners: HostOwners) -> None:
        self.claims: dict[str, list[_Claim]] = defaultdict(list)
        self._owners = owners
        for claim in claims:
            domain = hosts.intersect(owners.listener, claim.host)
            if domain is not None:
                self.claims[domain].append(claim)
        self.wide = {domain for domain in self.claims if domain.startswith(hosts.ANY)}
        self.namespaces = frozenset(
            _namespace(claim) for domain in self.wide for claim in self.claims[domain]
        )

    def at(self, domain: str) -> tuple[_Claim, ...]:
        """Returns its owners' claims on a domain and on broader ones, the more specific first."""
        found = [*self.claims.get(domain, ())]
        if self.wide:
            for broader in hosts.broader(domain, self.wide):
                found += self.claims[broader]
            found = [each for each in found if self._owners.owns(_namespace(each), domain)]
            if len({claim.host for claim in found}) > 1:
                found.sort(key=lambda claim: hosts.specificity(claim.host))
        return tuple(found)


def _namespace(claim: GrpcClaim | RestClaim) -> str:
    return claim.attachment.key.namespace
