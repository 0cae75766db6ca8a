"""All attachments of a gateway -> who serves what: conflicts decided, claims by path segment."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts
from grpc_operator.gateway.claims import ClaimKey, Claims, Segment, Served
from grpc_operator.gateway.conflict_index import ConflictIndex
from grpc_operator.gateway.ir import Api, Attachment, GatewayIr
from grpc_operator.resources import Key

_Age = tuple[str, Key]
"""Sorts the older service first."""


@dataclass(frozen=True)
class Plan:
    """Who serves what at one gateway.

    Attributes:
        services: What each attachment serves.
        segments: Claims by the first segment of the path.
        refused: What each attachment requested and does not get, and why.
    """

    services: Mapping[Key, Served]
    segments: Mapping[str, Segment]
    refused: Mapping[Key, tuple[Problem, ...]]


@dataclass(frozen=True)
class Affected:
    """What an update may have changed."""

    services: frozenset[Key]
    segments: frozenset[str]


def merge(gateway: GatewayIr, attachments: Iterable[Attachment]) -> Plan:
    """Decides conflicts by age: the older service wins, then the smaller key.

    The loser is not programmed at all for the contested gRPC service and protocol; everything else
    of it is. Two services conflict only on equal host names: on different ones the more specific
    host goes first, as everywhere in HTTP.
    """
    merger = Merger(gateway)
    merger.update(attachments)
    return merger.plan


class Merger:
    """The plan of a gateway, kept up to date.

    An update decides again only among the services that could conflict with a changed one, directly
    or through others, so that its cost does not grow with the gateway.
    """

    def __init__(self, gateway: GatewayIr) -> None:
        """Begins with no attachments.

        Args:
            gateway: The gateway; a changed one needs a new merger.
        """
        self._gateway = gateway
        self._attachments: dict[Key, Attachment] = {}
        self._ages: dict[Key, _Age] = {}
        self._claims: dict[Key, Claims] = {}
        self._requested: dict[ClaimKey, set[Key]] = defaultdict(set)
        self._services: dict[Key, Served] = {}
        self._refused: dict[Key, tuple[Problem, ...]] = {}
        self._placed: dict[Key, Mapping[str, Segment]] = {}
        self._members: dict[str, dict[Key, Segment]] = defaultdict(dict)
        self._segments: dict[str, Segment] = {}

    @property
    def plan(self) -> Plan:
        """Who serves what now; its maps change with the next update."""
        return Plan(self._services, self._segments, self._refused)

    def update(self, attachments: Iterable[Attachment]) -> Affected:
        """Brings the plan up to date; returns what may differ from before.

        Args:
            attachments: All of them, in any order, each key once.
        """
        desired = {attachment.key: attachment for attachment in attachments}
        kept = self._attachments
        differ = [key for key, new in desired.items() if kept.get(key) is not new]
        changed = {key for key in differ if kept.get(key) != desired[key]}
        changed |= kept.keys() - desired.keys()
        affected = changed | self._conflicting(changed)
        for key in changed:
            self._index(key, desired.get(key))
        new = affected
        while new:
            new = self._conflicting(new) - affected
            affected |= new
        self._decide(affected)
        return Affected(frozenset(affected), frozenset(self._place(affected)))

    def _index(self, key: Key, attachment: Attachment | None) -> None:
        """Replaces an attachment in the index of what is requested; ``None`` removes it."""
        for claim in self._claims.pop(key).requests if key in self._claims else ():
            self._requested[claim].discard(key)
            if not self._requested[claim]:
                del self._requested[claim]
        self._attachments.pop(key, None)
        self._ages.pop(key, None)
        if attachment is None:
            return
        self._attachments[key] = attachment
        self._ages[key] = (attachment.created, key)
        self._claims[key] = Claims.of(attachment)
        for claim in self._claims[key].requests:
            self._requested[claim].add(key)

    def _conflicting(self, keys: Iterable[Key]) -> set[Key]:
        """Returns the attachments that request something that one of these conflicts with."""
        found: set[Key] = set()
        for claims in (self._claims[key] for key in keys if key in self._claims):
            for claim in claims.conflicts_with & self._requested.keys():
                found |= self._requested[claim]
        return found

    def _decide(self, keys: Iterable[Key]) -> None:
        """Decides what these serve; nobody else requests anything that they request."""
        present = [self._attachments[key] for key in keys if key in self._attachments]
        index = ConflictIndex()
        for key in keys:
            self._services.pop(key, None)
            self._refused.pop(key, None)
        for attachment in sorted(present, key=lambda each: self._ages[each.key]):
            problems = list(_unreachable(self._gateway, attachment))
            self._services[attachment.key] = _served(index, attachment, problems)
            if problems:
                self._refused[attachment.key] = tuple(problems)

    def _place(self, keys: set[Key]) -> set[str]:
        """Puts what these serve under its path segments; returns the affected segments."""
        affected: set[str] = set()
        for key in keys:
            for segment in self._placed.pop(key, ()):
                del self._members[segment][key]
                affected.add(segment)
        for key in keys & self._services.keys():
            self._placed[key] = self._services[key].segments()
            for segment, claims in self._placed[key].items():
                self._members[segment][key] = claims
                affected.add(segment)
        for segment in affected:
            self._gather(segment)
        return affected

    def _gather(self, segment: str) -> None:
        members = self._members[segment]
        if not members:
            del self._members[segment], self._segments[segment]
            return
        by_age = sorted(members, key=self._ages.__getitem__)
        self._segments[segment] = Segment(
            [claim for key in by_age for claim in members[key].grpc],
            [claim for key in by_age for claim in members[key].rest],
        )


def _unreachable(gateway: GatewayIr, attachment: Attachment) -> Iterator[Problem]:
    """Yields host names that no listener accepts."""
    for host in attachment.hostnames:
        if not any(hosts.intersect(listener.hostname, host) for listener in gateway.listeners):
            accepted = ", ".join(sorted({f"{listener.hostname}" for listener in gateway.listeners}))
            yield Problem(
                "spec.gateway.hostnames",
                f"{host}: gateway {gateway.key.namespaced_name} has listeners for {accepted} only",
            )


def _served(index: ConflictIndex, attachment: Attachment, problems: list[Problem]) -> Served:
    """Adds the claims of an attachment to the index, and what it loses to the problems."""

    def won(problem: Problem | None) -> bool:
        if problem is not None:
            problems.append(problem)
        return problem is None

    grpc: list[Api] = []
    rest: list[Api] = []
    prefixes: list[str] = []
    if attachment.grpc or attachment.grpc_web:
        grpc = [api for api in attachment.apis if won(index.add_grpc(attachment, api))]
    if attachment.rest is not None:
        bound = [api for api in attachment.apis if api.patterns]
        rest = [api for api in bound if won(index.add_rest(attachment, api))]
        requested = attachment.rest.prefixes
        prefixes = [prefix for prefix in requested if won(index.add_prefix(attachment, prefix))]
        below = {pattern.prefix for api in rest for pattern in api.patterns}
        index.add_paths(attachment, below.union(prefixes))
    return Served(attachment, tuple(grpc), tuple(rest), tuple(prefixes))
