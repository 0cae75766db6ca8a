"""Who gets what of several services: what was accepted earlier stays, then the older object wins.

A service claims every item on every host. What is new in it (a host, or an item) is refused as a
whole where it conflicts: so whatever is added to an object takes nothing from others, nor from
what the object has already.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.claims import GRPC, PATH, Item
from grpc_operator.gateway.conflict_index import ConflictIndex
from grpc_operator.gateway.host_rights import HostRights
from grpc_operator.gateway.infrastructure import NAMES
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key


@dataclass
class Contender:
    """A service while it is decided what it gets.

    Attributes:
        items: Everything that it claims on each of its hosts.
        acceptance: What of that it has already.
        hosts: The hosts that it gets.
        won: The items that it gets.
        denied: The hosts that it may not have, and why.
        lost: What else it does not get, and why.
    """

    attachment: Attachment
    items: Sequence[Item]
    acceptance: Acceptance
    hosts: list[str] = field(default_factory=list)
    won: list[Item] = field(default_factory=list)
    denied: dict[str, str] = field(default_factory=dict)
    lost: list[Problem] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """The GrpcService."""
        return self.attachment.key

    @property
    def age(self) -> tuple[str, Key]:
        """Sorts the older object first."""
        return self.attachment.created, self.key


def decide(rights: HostRights, contenders: Sequence[Contender]) -> None:
    """Fills in what each of these services gets.

    Args:
        rights: Who may have which host.
        contenders: All that could conflict with one of them.
    """
    _Decision(rights, sorted(contenders, key=lambda each: each.age)).run()


class _Decision:
    def __init__(self, rights: HostRights, contenders: Sequence[Contender]) -> None:
        self._rights = rights
        self._contenders = contenders
        self._by_key = {each.key: each for each in contenders}
        self._permitted = {each.key: tuple(self._permitted_of(each)) for each in contenders}
        self._hosts: dict[str, set[Key]] = defaultdict(set)
        self._younger: set[tuple[Key, str | Item]] = set()

    def run(self) -> None:
        shared = self._shared()
        self._accepted, self._new = self._of_accepted(shared), ConflictIndex(shared)
        for each in self._contenders:
            self._add_new_hosts(each)
            self._add_new_items(each)

    def _permitted_of(self, each: Contender) -> Iterator[str]:
        namespace = each.key.namespace
        for host in each.attachment.hostnames:
            if self._rights.allows(namespace, host):
                yield host
            else:
                each.denied[host] = self._rights.refusal(namespace, host)

    def _shared(self) -> frozenset[str]:
        """Returns the hosts that several namespaces may have, and request."""
        namespaces: dict[str, set[str]] = defaultdict(set)
        for key, permitted in self._permitted.items():
            for host in permitted:
                namespaces[host].add(key.namespace)
        return frozenset(host for host, of in namespaces.items() if len(of) > 1)

    def _of_accepted(self, shared: frozenset[str]) -> ConflictIndex:
        """Gives everybody what was accepted; of two that conflict, the younger is new again.

        That happens only when two replicas accepted at once, or when it was not known for a while
        what one of them offers.
        """
        while True:
            index = ConflictIndex(shared)
            younger = set(self._younger_of_accepted(index))
            if not younger:
                break
            self._younger |= younger
        for each in self._contenders:
            each.hosts = self._accepted_hosts(each)
            each.won = self._accepted_items(each)
            for host in each.hosts:
                self._hosts[host].add(each.key)
        return index

    def _younger_of_accepted(self, index: ConflictIndex) -> Iterator[tuple[Key, str | Item]]:
        """Adds what was accepted to an index; yields the hosts and items that conflict with it."""
        claims = [
            (since, each.age, each.key, host, item)
            for each in self._contenders
            for host in self._accepted_hosts(each)
            for item in self._accepted_items(each)
            if (since := each.acceptance.since(host, item.digest)) is not None
        ]
        for _, _, key, host, item in sorted(claims, key=lambda claim: claim[:2]):
            if index.conflict(key, host, item) is not None:
                accepted = self._by_key[key].acceptance
                is_host = accepted.hosts[host] > accepted.items[item.digest]
                yield key, host if is_host else item
            else:
                index.add(key, host, item)

    def _accepted_hosts(self, each: Contender) -> list[str]:
        return [
            host
            for host in self._permitted[each.key]
            if host in each.acceptance.hosts and (each.key, host) not in self._younger
        ]

    def _accepted_items(self, each: Contender) -> list[Item]:
        if not each.acceptance.items:
            return []
        return [
            item
            for item in each.items
            if item.digest in each.acceptance.items and (each.key, item) not in self._younger
        ]

    def _add_new_hosts(self, each: Contender) -> None:
        for host in self._permitted[each.key]:
            if host in each.hosts:
                continue
            problem = self._host_problem(each, host)
            if problem is not None:
                each.lost.append(Problem("spec.gateway.hostnames", problem))
                continue
            each.hosts.append(host)
            self._hosts[host].add(each.key)
            for item in each.won:
                self._new.add(each.key, host, item)

    def _host_problem(self, each: Contender, host: str) -> str | None:
        """Returns what keeps a service from having another host."""
        namespace = each.key.namespace
        above = self._answered_by(namespace, host)
        if above is not None:
            broader, owner = above
            accepted = broader in self._by_key[owner].acceptance.hosts
            return (
                f"{host} is covered by {_on(broader)}, which {owner.namespaced_name} has"
                f" ({self._why(owner, each, accepted=accepted)}); choose another host, or"
                f" {self._rights.way_out(namespace, host)}"
            )
        for item in each.won:
            text, _ = self._lost(each, host, item)
            if text:
                return f"{text}; choose another host"
        return None

    def _answered_by(self, namespace: str, host: str) -> tuple[str, Key] | None:
        """Returns the nearest broader host, and who of another namespace answers here by it."""
        if self._rights.is_exclusive(host):
            return None
        broader = next(hosts.broader(host, self._hosts), None)
        if broader is None or self._rights.is_granted_within(broader, host):
            return None
        for key in sorted(self._hosts[broader]):
            if key.namespace != namespace and self._rights.allows(key.namespace, host):
                return broader, key
        return None

    def _add_new_items(self, each: Contender) -> None:
        lost: dict[tuple[str, str, Key | None], list[str]] = defaultdict(list)
        won = set(each.won)
        for item in (item for item in each.items if item not in won):
            found = (self._lost(each, host, item) for host in each.hosts)
            text, owner = next((lost for lost in found if lost[0]), ("", None))
            if text:
                lost[item.kind, item.api or item.text, owner].append(text)
                continue
            each.won.append(item)
            for host in each.hosts:
                self._new.add(each.key, host, item)
        each.lost += (_problem(kind, texts) for (kind, _, _), texts in lost.items())

    def _lost(self, each: Contender, host: str, item: Item) -> tuple[str, Key | None]:
        """Returns what keeps a service from having an item on a host, and whose it is."""
        accepted = self._accepted.conflict(each.key, host, item)
        conflict = accepted or self._new.conflict(each.key, host, item)
        if conflict is None:
            return "", None
        what = f"{item.text} of {item.api}" if item.kind == PATH else item.text
        owner = conflict.owner.namespaced_name
        verb = f"is served by {owner}" if conflict.is_equal else f"overlaps what {owner} serves"
        why = self._why(conflict.owner, each, accepted=accepted is not None)
        return f"{what} {verb} on {_on(host)} ({why})", conflict.owner

    def _why(self, owner: Key, loser: Contender, *, accepted: bool) -> str:
        """Returns why another service has something: whether it was accepted, or by age."""
        if accepted:
            return "accepted earlier"
        if self._by_key[owner].attachment.created != loser.attachment.created:
            return "created earlier"
        return "created at the same time, and first by name"


def _on(host: str) -> str:
    return "every host" if host == hosts.ANY else host


def _problem(kind: str, texts: Sequence[str]) -> Problem:
    more = f", and {len(texts) - 1} more of its paths likewise" if len(texts) > 1 else ""
    text = texts[0] + more
    if kind == GRPC:
        if text.split(" ", 1)[0] in NAMES:
            fix = "choose other hosts in spec.gateway.hostnames, or do not expose it"
            return Problem("spec.gateway.expose", f"{text}; {fix}")
        fix = "choose other hosts in spec.gateway.hostnames, or leave it out of spec.services"
        return Problem("spec.services", f"{text}; {fix}")
    if kind == PATH:
        fix = "choose other hosts in spec.gateway.hostnames, or take REST out of protocols"
        return Problem("spec.gateway.rest", f"{text}; {fix}")
    return Problem("spec.gateway.rest.prefixes", f"{text}; choose another")
