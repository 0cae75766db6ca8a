"""All attachments of a gateway -> who serves what: conflicts decided, claims by path segment."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from grpc_operator.errors import Problem
from grpc_operator.gateway import claims, hosts
from grpc_operator.gateway.acceptance import NOTHING, Acceptance
from grpc_operator.gateway.claims import NO_CLAIMS, Item, Segment, Served
from grpc_operator.gateway.decision import Contender, decide
from grpc_operator.gateway.host_rights import HostRights
from grpc_operator.gateway.ir import Attachment, GatewayIr
from grpc_operator.gateway.relations import Marks, Relations
from grpc_operator.resources import Key

Denied = tuple[tuple[str, str], ...]
"""The hosts that a service may not have, and why."""


@dataclass(frozen=True)
class Plan:
    """Who serves what at one gateway.

    Attributes:
        services: What each attachment serves.
        refused: What each attachment requested that somebody else has, or that no listener serves.
        denied: The hosts that each attachment requested and may not have.
    """

    services: Mapping[Key, Served]
    refused: Mapping[Key, tuple[Problem, ...]]
    denied: Mapping[Key, Denied]


class Wanted(NamedTuple):
    """What a service requests, and what of it was accepted before."""

    attachment: Attachment
    accepted: Acceptance = NOTHING


@dataclass(frozen=True)
class Affected:
    """What an update may have changed.

    Attributes:
        decided: The services that were decided again.
        services: Those of them that serve something else than before.
        segments: Which of these have, or had, claims on a first segment of the path.
    """

    decided: frozenset[Key]
    services: frozenset[Key]
    segments: Mapping[str, frozenset[Key]]


def merge(
    gateway: GatewayIr,
    attachments: Iterable[Attachment],
    accepted: Mapping[Key, Acceptance] | None = None,
) -> Plan:
    """Decides who gets what: what was accepted earlier stays, then the older object wins.

    The loser is not programmed at all for the contested host or item; everything else of it is.
    """
    merger = Merger()
    merger.update(gateway, attachments, accepted or {})
    return merger.plan


class Merger:
    """The plan of a gateway, kept up to date.

    Attributes:
        rights: Who may have which host; another object when that has changed.

    An update decides again only among the services that could conflict with a changed one, directly
    or through others, so that its cost does not grow with the gateway.
    """

    def __init__(self) -> None:
        """Begins with no attachments."""
        self.rights: HostRights
        self._gateway: GatewayIr | None = None
        self._attachments: dict[Key, Attachment] = {}
        self._accepted: dict[Key, Acceptance] = {}
        self._items: dict[Key, tuple[Item, ...]] = {}
        self._relations = Relations()
        self._services: dict[Key, Served] = {}
        self._refused: dict[Key, tuple[Problem, ...]] = {}
        self._denied: dict[Key, Denied] = {}
        self._placed: dict[Key, Mapping[str, Segment]] = {}

    @property
    def plan(self) -> Plan:
        """Who serves what now; its maps change with the next update."""
        return Plan(self._services, self._refused, self._denied)

    def claims(self, key: Key, segment: str) -> Segment:
        """Returns what a service claims on paths that begin with a segment."""
        return self._placed.get(key, {}).get(segment, NO_CLAIMS)

    def update(
        self,
        gateway: GatewayIr,
        attachments: Iterable[Attachment],
        accepted: Mapping[Key, Acceptance],
    ) -> Affected:
        """Sets all attachments; returns what may differ from before.

        Args:
            gateway: The gateway.
            attachments: All of them, in any order, each key once.
            accepted: What of theirs was accepted; nothing of those that are not in it.
        """
        every = {each.key: Wanted(each, accepted.get(each.key, NOTHING)) for each in attachments}
        return self.change(gateway, {**dict.fromkeys(self._attachments), **every})

    def change(self, gateway: GatewayIr, wanted: Mapping[Key, Wanted | None]) -> Affected:
        """Brings the plan up to date; returns what may differ from before.

        Args:
            gateway: The gateway.
            wanted: What services request now that may request something else than before; ``None``:
                nothing any more.
        """
        everything = self._set_gateway(gateway)
        changed = {key for key, each in wanted.items() if self._is_other(key, each)}
        decided = self._relations.closure(changed)
        for key in changed:
            self._index(key, wanted[key])
        if everything:
            self._relate_all()
            decided |= self._attachments.keys()
        decided = self._relations.closure(decided)
        before = {key: self._services.get(key) for key in decided}
        self._decide(decided)
        differ = {key for key in decided if self._services.get(key) != before[key]}
        return Affected(frozenset(decided), frozenset(differ), self._place(differ))

    def _set_gateway(self, gateway: GatewayIr) -> bool:
        """Sets the gateway; returns whether every service is to be decided again."""
        known, self._gateway = self._gateway, gateway
        if known is not None and (known, known.hosts) == (gateway, gateway.hosts):
            return False
        if known is None or known.hosts != gateway.hosts:
            self.rights = HostRights(gateway.hosts)
        return True

    def _is_other(self, key: Key, wanted: Wanted | None) -> bool:
        known = self._attachments.get(key)
        if wanted is None or known is None:
            return known is not None or wanted is not None
        attachment, accepted = wanted
        return known != attachment or self._accepted[key] != accepted

    def _index(self, key: Key, wanted: Wanted | None) -> None:
        """Replaces an attachment in the index of what is requested; ``None`` removes it."""
        if wanted is None:
            self._relations.drop(key)
            for known in (self._attachments, self._accepted, self._items):
                known.pop(key, None)
            return
        attachment, self._accepted[key] = wanted
        if self._attachments.get(key) == attachment:
            return
        self._attachments[key] = attachment
        self._items[key] = claims.items(attachment)
        self._relate(key)

    def _relate_all(self) -> None:
        self._relations = Relations()
        for key in self._attachments:
            self._relate(key)

    def _relate(self, key: Key) -> None:
        marks = Marks.of(self._attachments[key], self._items[key], self.rights)
        self._relations.put(key, marks)

    def _decide(self, keys: Iterable[Key]) -> None:
        """Decides what these get; nobody else requests anything that they request."""
        assert self._gateway is not None  # noqa: S101 - set by every update
        for key in keys:
            for known in (self._services, self._refused, self._denied):
                known.pop(key, None)
        contenders = [
            Contender(self._attachments[key], self._items[key], self._accepted[key])
            for key in keys
            if key in self._attachments
        ]
        decide(self.rights, contenders)
        for each in contenders:
            key, attachment = each.key, each.attachment
            self._services[key] = Served.of(attachment, each.hosts, each.won)
            lost = [*_unreachable(self._gateway, attachment), *each.lost]
            if lost:
                self._refused[key] = tuple(lost)
            if each.denied:
                self._denied[key] = tuple(each.denied.items())

    def _place(self, keys: set[Key]) -> Mapping[str, frozenset[Key]]:
        """Finds the claims of services by path segment; returns which may be others, and whose."""
        affected: dict[str, set[Key]] = defaultdict(set)
        for key in keys:
            served = self._services.get(key)
            now = served.segments() if served is not None else {}
            for segment in {*self._placed.pop(key, ()), *now}:
                affected[segment].add(key)
            if now:
                self._placed[key] = now
        return {segment: frozenset(of) for segment, of in affected.items()}


def _unreachable(gateway: GatewayIr, attachment: Attachment) -> Iterator[Problem]:
    """Yields hosts that no listener accepts."""
    own = [each for each in gateway.listeners if attachment.is_on(each.name)]
    for host in attachment.hostnames:
        if any(hosts.intersect(listener.hostname, host) for listener in own):
            continue
        accepted = ", ".join(sorted({f"{listener.hostname}" for listener in own})) or "none of them"
        yield Problem(
            "spec.gateway.hostnames",
            f"{host}: the listeners of GrpcGateway {gateway.key.namespaced_name} accept"
            f" {accepted} only; request a host that they accept, or have a listener added",
        )
