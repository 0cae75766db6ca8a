"""The claims on one first path segment -> its virtual hosts at one listener."""

from bisect import insort
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from grpc_operator.gateway import hosts
from grpc_operator.gateway.claims import NO_CLAIMS, GrpcClaim, RestClaim, Segment
from grpc_operator.gateway.envoy import grpc_routes, route_matchers, table_parts
from grpc_operator.gateway.envoy.rest_on_host import RestRoutes, RoutesOfClaims
from grpc_operator.gateway.host_owners import HostOwners
from grpc_operator.gateway.ir import Api, Attachment, Target
from grpc_operator.gateway.snapshot import Part
from grpc_operator.resources import Key

_CACHED = 1024
"""gRPC services whose routes are cached, at about 8 KiB each."""

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


class VirtualHosts:
    """The virtual hosts of one segment at one listener; a changed claim makes only its own again.

    Envoy searches one virtual host only, the most specific: so each also has the REST claims of the
    broader ones, after its own. Of those, a host has the claims of its owners alone; one on which
    they claim nothing has a virtual host without routes, where a broader one of another namespace
    would answer (docs/adr/0025).

    Args:
        listener: Name of the listener.
    """

    def __init__(self, listener: str) -> None:
        self._listener = listener
        self._claims: dict[Key, Segment] = {}
        self._wide: set[Key] = set()
        self._grpc = _Domains[GrpcClaim]()
        self._rest = _Domains[RestClaim]()
        self._made: dict[str, tuple[Claimed, Part]] = {}
        self._routes: RoutesOfClaims = {}

    @property
    def services(self) -> frozenset[Key]:
        """Those that claim something on one of them."""
        return frozenset[Key]().union(*(part.services for _, part in self._made.values()))

    @property
    def has_rest(self) -> bool:
        """Whether any of it is by REST."""
        return bool(self._rest.claims)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, sorted by their first domain."""
        return tuple(self._made[name][1] for name in sorted(self._made))

    def update(self, changed: Mapping[Key, Segment], owners: HostOwners) -> None:
        """Sets the claims of services that may claim something else than before.

        Args:
            changed: Everything that they claim on the segment, at any listener.
            owners: Whose the hosts of the listener are.
        """
        was_wide, domains = bool(self._wide), set()
        for key, segment in changed.items():
            domains |= self._set_claims(key, segment, owners.listener)
        if was_wide or self._wide:
            self._make_all(owners)
        else:  # every domain is a host that was accepted: nothing else decides what it has
            self._make(domains)

    def _set_claims(self, key: Key, segment: Segment, hostname: str | None) -> set[str]:
        """Replaces the claims of a service; returns the domains that had or have some of them."""
        before = self._claims.pop(key, NO_CLAIMS)
        self._wide.discard(key)
        now = segment.on(self._listener)
        if now:
            self._claims[key] = now
        if now.is_wide:
            self._wide.add(key)
        for claim in before.rest:
            self._routes.pop(claim, None)
        return self._grpc.replace(before.grpc, now.grpc, hostname) | self._rest.replace(
            before.rest, now.rest, hostname
        )

    def _make(self, domains: Iterable[str]) -> None:
        """Makes the virtual hosts of domains, each of which has one of its own."""
        for domain in domains:
            grpc, rest = self._grpc.claims.get(domain, ()), self._rest.claims.get(domain, ())
            self._made.pop(domain, None)
            if grpc or rest:
                self._put(Claimed((domain,), tuple(grpc)[:1], tuple(rest)), {})

    def _make_all(self, owners: HostOwners) -> None:
        """Makes the virtual hosts that differ: a claim on a wildcard affects any of them."""
        before, self._made = self._made, {}
        for of in self._claimed(owners):
            self._put(of, before)

    def _put(self, of: Claimed, before: Mapping[str, tuple[Claimed, Part]]) -> None:
        name = of.domains[0]
        known = before.get(name)
        is_same = known is not None and known[0] == of
        self._made[name] = known if known and is_same else (of, build(of, self._routes))

    def _claimed(self, owners: HostOwners) -> Iterator[Claimed]:
        """Yields what is claimed on each virtual host."""
        grpc, rest = self._grpc, self._rest
        own = {*grpc.claims, *rest.claims}
        wide = {domain for domain in own if domain.startswith(hosts.ANY)}
        entries = owners.entries(
            frozenset(
                _namespace(claim)
                for domain in wide
                for claim in (*grpc.claims.get(domain, ()), *rest.claims.get(domain, ()))
            )
        )
        domains: dict[tuple[tuple[GrpcClaim, ...], tuple[RestClaim, ...]], list[str]] = {}
        for domain in (*sorted(own), *_covered(entries.owned, wide, own)):
            of_rest = _compared(rest.at(domain, wide, owners), domain, owners)
            of_grpc = grpc.at(domain, wide, owners)[:1]
            domains.setdefault((of_grpc, of_rest), []).append(domain)
        for claims, names in domains.items():
            yield Claimed(tuple(names), *claims)
        others = _covered(entries.others, wide, own)
        if others:
            yield Claimed(others, (), ())


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


def _compared(
    claims: tuple[RestClaim, ...], domain: str, owners: HostOwners
) -> tuple[RestClaim, ...]:
    """Returns the claims that were compared with those of all other owners of a domain.

    Paths of one host were; of a broader one of the same namespace they may overlap others.
    """
    if not owners.is_shared(domain):
        return claims
    nearest = owners.nearest(domain)
    return tuple(claim for claim in claims if claim.host == nearest)


def build(of: Claimed, known: RoutesOfClaims) -> Part:
    """Returns a virtual host.

    Args:
        of: What is claimed on it.
        known: Routes made before; gets those that are made now.
    """
    services = {claim.attachment.key for claim in of.grpc}
    services |= {claim.attachment.key for claim in of.rest}
    if of.grpc:
        routes = _beside_grpc(of, known)
    else:
        routes = RestRoutes.of(of.rest, known, beside_grpc=False).alone() if of.rest else b""
    return table_parts.part(of.domains, frozenset(services), routes)


def _beside_grpc(of: Claimed, known: RoutesOfClaims) -> bytes:
    """Returns the routes of a gRPC service, and those of REST for the same paths."""
    parts = [RestRoutes.of(of.rest, known, beside_grpc=True).in_order] if of.rest else []
    for claim in of.grpc:
        first, last = _grpc(_apart_from_hosts(claim.attachment, claim.api), claim.api)
        parts = [first, *parts, last]
    return route_matchers.in_order(b"".join(parts))


@lru_cache(maxsize=_CACHED)
def _grpc(attachment: Attachment, api: Api) -> tuple[bytes, bytes]:
    """Returns what comes before and after REST routes: most of the work, and the same on all hosts.

    Args:
        attachment: Only with what these routes are made of.
        api: One of its gRPC services.
    """
    before, after = grpc_routes.preflight(attachment, api), grpc_routes.build(attachment, api)
    return route_matchers.joined(before), route_matchers.joined(after)


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


class _Domains(Generic[_Claim]):
    """Claims of one kind by the domain that they have at a listener.

    Attributes:
        claims: Those of the oldest service first.
    """

    def __init__(self) -> None:
        self.claims: dict[str, list[_Claim]] = {}

    def replace(
        self, before: Iterable[_Claim], now: Iterable[_Claim], hostname: str | None
    ) -> set[str]:
        """Replaces claims at a listener with a host name; returns the domains that they have."""
        gone: list[tuple[str, _Claim]] = self._at_listener(before, hostname)
        new: list[tuple[str, _Claim]] = self._at_listener(now, hostname)
        for domain, claim in gone:
            self.claims[domain].remove(claim)
        for domain, claim in new:
            insort(self.claims.setdefault(domain, []), claim, key=_age)
        domains = {domain for domain, _ in (*gone, *new)}
        for domain in domains:
            if not self.claims[domain]:
                del self.claims[domain]
        return domains

    @staticmethod
    def _at_listener(claims: Iterable[_Claim], hostname: str | None) -> list[tuple[str, _Claim]]:
        domains = ((hosts.intersect(hostname, claim.host), claim) for claim in claims)
        return [(domain, claim) for domain, claim in domains if domain is not None]

    def at(self, domain: str, wide: Container[str], owners: HostOwners) -> tuple[_Claim, ...]:
        """Returns its owners' claims on a domain and on broader ones, the more specific first."""
        found = [*self.claims.get(domain, ())]
        for broader in hosts.broader(domain, wide):
            found += self.claims.get(broader, ())
        found = [each for each in found if owners.owns(_namespace(each), domain)]
        if len({claim.host for claim in found}) > 1:
            found.sort(key=lambda claim: hosts.specificity(claim.host))
        return tuple(found)


def _age(claim: GrpcClaim | RestClaim) -> tuple[str, Key]:
    return claim.attachment.created, claim.attachment.key


def _namespace(claim: GrpcClaim | RestClaim) -> str:
    return claim.attachment.key.namespace
