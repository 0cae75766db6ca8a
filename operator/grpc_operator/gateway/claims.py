"""What an attachment claims at a gateway, and what is left of it after conflicts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from grpc_operator.gateway import acceptance, hosts, patterns
from grpc_operator.gateway.ir import Api, Attachment, Target
from grpc_operator.gateway.patterns import Paths, Pattern

GRPC = "gRPC"
PATH = "path"
PREFIX = "prefix"
"""Kinds of items."""


@dataclass(frozen=True)
class Item:
    """Something that a service claims on each of its hosts.

    Attributes:
        kind: ``GRPC``, ``PATH`` or ``PREFIX``.
        text: Full name of a gRPC service, shape of a REST path, or prefix.
        parts: Segments of the paths that it answers.
        api: The gRPC service that a REST path belongs to.
    """

    kind: str
    text: str
    parts: tuple[str, ...] = field(compare=False)
    path: str = field(default="", compare=False)
    api: str = field(default="", compare=False)

    @cached_property
    def digest(self) -> bytes:
        """Its hash in ``status.claims``."""
        return acceptance.digest(self.kind, self.text)


def items(attachment: Attachment) -> tuple[Item, ...]:
    """Returns everything that an attachment claims on each of its hosts, each once."""
    found: dict[tuple[str, str], Item] = {}
    for item in _items(attachment):
        found.setdefault((item.kind, item.text), item)
    return tuple(found.values())


def _items(attachment: Attachment) -> Iterator[Item]:
    if attachment.grpc or attachment.grpc_web:
        for api in attachment.apis:
            yield Item(GRPC, api.name, (api.name, patterns.REST))
    if attachment.rest is None:
        return
    for api in attachment.apis:
        for each in api.patterns:
            yield Item(PATH, each.shape, each.parts, each.prefix, api.name)
    for prefix in attachment.rest.prefixes:
        yield Item(PREFIX, prefix, (*patterns.segments(prefix), patterns.REST), prefix)


@dataclass(frozen=True, eq=False)
class GrpcClaim:
    """A gRPC service on a host, by gRPC, gRPC-Web or both. Compared by identity."""

    host: str
    attachment: Attachment
    api: Api


@dataclass(frozen=True, eq=False)
class RestClaim:
    """REST paths on a host that begin with the same segment. Compared by identity."""

    host: str
    attachment: Attachment
    paths: Paths


@dataclass
class Segment:
    """Claims of one service on paths that begin with one segment."""

    grpc: list[GrpcClaim] = field(default_factory=list)
    rest: list[RestClaim] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.grpc or self.rest)

    @property
    def is_wide(self) -> bool:
        """Whether a claim is on wildcard hosts or on every host."""
        claims: list[GrpcClaim | RestClaim] = [*self.grpc, *self.rest]
        return any(claim.host.startswith(hosts.ANY) for claim in claims)

    def on(self, listener: str) -> "Segment":
        """Returns the claims at a listener."""
        return Segment(
            [claim for claim in self.grpc if claim.attachment.is_on(listener)],
            [claim for claim in self.rest if claim.attachment.is_on(listener)],
        )


NO_CLAIMS = Segment()
"""Nothing is claimed."""


@dataclass(frozen=True)
class Served:
    """What is left of an attachment after conflicts.

    Attributes:
        hosts: The hosts that it has, sorted.
        items: What it has on each of them.
        grpc: Services offered by gRPC or gRPC-Web.
        rest: Services offered by REST.
        prefixes: Path prefixes that it owns.
    """

    attachment: Attachment
    hosts: tuple[str, ...]
    grpc: tuple[Api, ...]
    rest: tuple[Api, ...]
    prefixes: tuple[str, ...]
    items: frozenset[Item] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, attachment: Attachment, hosts: Iterable[str], won: Collection[Item]) -> "Served":
        """Returns what a service serves that has these hosts and items."""
        served = {(item.kind, item.text) for item in won}
        rest = attachment.rest
        return cls(
            attachment,
            tuple(sorted(hosts)),
            tuple(api for api in attachment.apis if (GRPC, api.name) in served),
            tuple(_served_rest(attachment, served)) if rest is not None else (),
            tuple(each for each in rest.prefixes if (PREFIX, each) in served) if rest else (),
            frozenset(won),
        )

    @property
    def is_anything(self) -> bool:
        """Whether any call is answered by the service."""
        return bool(self.hosts and (self.grpc or self.rest or self.prefixes))

    def segments(self) -> Mapping[str, Segment]:
        """Returns its claims by the first segment of the path."""
        found: dict[str, Segment] = defaultdict(Segment)
        for host in self.hosts:
            served = self._of_tags.get(host, self)
            for api in served.grpc:
                found[api.name].grpc.append(GrpcClaim(host, served.attachment, api))
            for segment, paths in served.paths.items():
                found[segment].rest.append(RestClaim(host, served.attachment, paths))
        return found

    def of_target(self, target: Target) -> "Served":
        """Returns what one revision serves."""
        return Served.of(self.attachment.only(target), self.hosts, self.items)

    @cached_property
    def _of_tags(self) -> Mapping[str, "Served"]:
        """What is served on the hosts of tags."""
        targets = {target.tag: target for target in reversed(self.attachment.targets)}
        made = {each.tag: self.of_target(targets[each.tag]) for each in self.attachment.tag_hosts}
        return {each.host: made[each.tag] for each in self.attachment.tag_hosts}

    @cached_property
    def paths(self) -> Mapping[str, Paths]:
        """The REST paths by their first segment."""
        found: dict[str, set[Pattern]] = defaultdict(set)
        prefixes: dict[str, set[str]] = defaultdict(set)
        for api in self.rest:
            for pattern in api.patterns:
                found[pattern.parts[0]].add(pattern)
        for prefix in self.prefixes:
            prefixes[patterns.first(prefix)].add(prefix)
        return {
            segment: Paths(patterns.in_order(found[segment]), tuple(sorted(prefixes[segment])))
            for segment in sorted({*found, *prefixes})
        }


def _served_rest(attachment: Attachment, served: set[tuple[str, str]]) -> Iterator[Api]:
    """Yields the gRPC services with a REST path that is served, and only those paths of them."""
    for api in attachment.apis:
        kept = {pattern for pattern in api.patterns if (PATH, pattern.shape) in served}
        if not kept:
            continue
        yield api if len(kept) == len(api.patterns) else _with_only(api, kept)


def _with_only(api: Api, kept: set[Pattern]) -> Api:
    methods = (
        replace(
            method, bindings=tuple(each for each in method.bindings if Pattern.of(each) in kept)
        )
        for method in api.methods
    )
    return replace(api, methods=tuple(methods))
