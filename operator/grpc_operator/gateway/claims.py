"""What an attachment claims at a gateway, and which claims of others conflict with it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grpc_operator.gateway import patterns
from grpc_operator.gateway.ir import Api, Attachment
from grpc_operator.gateway.patterns import Paths, Pattern

ClaimKey = tuple[str, str, str]
"""Something that may be claimed: its kind, the host, and a name or path."""

_GRPC = "gRPC service"
_PATH = "REST path"
_AT_OR_ABOVE = "at or above a REST path"
_PREFIX = "path prefix"


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
    """Claims on paths that begin with one segment, from the oldest service on."""

    grpc: list[GrpcClaim] = field(default_factory=list)
    rest: list[RestClaim] = field(default_factory=list)


@dataclass(frozen=True)
class Served:
    """What is left of an attachment after conflicts.

    Attributes:
        grpc: Services offered by gRPC or gRPC-Web.
        rest: Services offered by REST.
        prefixes: Path prefixes that it owns.
    """

    attachment: Attachment
    grpc: tuple[Api, ...]
    rest: tuple[Api, ...]
    prefixes: tuple[str, ...]

    def segments(self) -> Mapping[str, Segment]:
        """Returns its claims by the first segment of the path."""
        found: dict[str, Segment] = defaultdict(Segment)
        for host in self.attachment.hosts:
            for api in self.grpc:
                found[api.name].grpc.append(GrpcClaim(host, self.attachment, api))
            for segment, paths in self._paths.items():
                found[segment].rest.append(RestClaim(host, self.attachment, paths))
        return found

    @cached_property
    def _paths(self) -> Mapping[str, Paths]:
        """The REST paths by their first segment."""
        found: dict[str, set[Pattern]] = defaultdict(set)
        prefixes: dict[str, set[str]] = defaultdict(set)
        for api in self.rest:
            for pattern in api.patterns:
                found[pattern.parts[0]].add(pattern)
        for prefix in self.prefixes:
            prefixes[patterns.first(prefix)].add(prefix)
        return {
            segment: Paths(tuple(sorted(found[segment])), tuple(sorted(prefixes[segment])))
            for segment in sorted({*found, *prefixes})
        }


@dataclass(frozen=True)
class Claims:
    """What an attachment claims, as keys of an index.

    Attributes:
        requests: What it requests.
        conflicts_with: What conflicts with it when another attachment requests it.
    """

    requests: frozenset[ClaimKey]
    conflicts_with: frozenset[ClaimKey]

    @classmethod
    def of(cls, attachment: Attachment) -> "Claims":
        """Returns the claims of an attachment."""
        requests: set[ClaimKey] = set()
        conflicts: set[ClaimKey] = set()
        for host in attachment.hosts:
            exclusive = set(_exclusive(attachment, host))
            paths = set(_paths(attachment))
            requests |= exclusive | {(_AT_OR_ABOVE, host, path) for path in paths}
            conflicts |= exclusive | {(_PREFIX, host, path) for path in paths}
            prefixes = attachment.rest.prefixes if attachment.rest is not None else ()
            requests |= {(_PREFIX, host, prefix) for prefix in prefixes}
            conflicts |= {(_AT_OR_ABOVE, host, prefix) for prefix in prefixes}
        return cls(frozenset(requests), frozenset(conflicts))


def _exclusive(attachment: Attachment, host: str) -> Iterator[ClaimKey]:
    """Yields what only one attachment may have."""
    for api in attachment.apis:
        if attachment.grpc or attachment.grpc_web:
            yield _GRPC, host, api.name
        if attachment.rest is not None:
            yield from ((_PATH, host, shape) for shape in api.shapes)


def _paths(attachment: Attachment) -> Iterator[str]:
    """Yields every literal path that the attachment has, and those above."""
    if attachment.rest is None:
        return
    prefixes = {pattern.prefix for api in attachment.apis for pattern in api.patterns}
    for prefix in prefixes.union(attachment.rest.prefixes):
        yield prefix
        yield from patterns.ancestors(prefix)
