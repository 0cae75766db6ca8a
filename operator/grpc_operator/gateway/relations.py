"""Which attachments could conflict with which: those must be decided together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grpc_operator.gateway import hosts, patterns
from grpc_operator.gateway.claims import GRPC, PREFIX, Item
from grpc_operator.gateway.host_rights import HostRights
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key

_Mark = tuple[str, str, str]
"""Kind, host, and a name, path or segment."""

_AT_OR_ABOVE = "at or above"
_SEGMENT = "segment"
_HOST = "host"
_HOST_BELOW = "host below"


@dataclass(frozen=True)
class Marks:
    """How an attachment is found.

    Attributes:
        has: What it requests.
        conflicts_with: What conflicts with it when another service requests it.
        foreign: The same when a service of another namespace requests it; those are found by
            ``has_foreign``.
    """

    has: frozenset[_Mark]
    conflicts_with: frozenset[_Mark]
    has_foreign: frozenset[_Mark]
    foreign: frozenset[_Mark]

    @classmethod
    def of(cls, attachment: Attachment, items: Iterable[Item], rights: HostRights) -> "Marks":
        """Returns the marks of an attachment at a gateway with these rights."""
        has: set[_Mark] = set()
        conflicts: set[_Mark] = set()
        segments: set[_Mark] = set()
        for host in attachment.hostnames:
            for item in items:
                equal = (item.kind, host, item.text)
                has.add(equal)
                conflicts.add(equal)
                segments.add((_SEGMENT, host, item.parts[0]))
                if item.kind == GRPC:
                    continue
                has.update((_AT_OR_ABOVE, host, path) for path in _lineage(item.path))
                conflicts.update((PREFIX, host, path) for path in _lineage(item.path))
                if item.kind == PREFIX:
                    conflicts.add((_AT_OR_ABOVE, host, item.path))
        has_foreign, foreign = set(segments), set(segments)
        for host in attachment.hostnames:
            has_foreign.add((_HOST, host, ""))
            foreign.add((_HOST_BELOW, host, ""))
            # Where nobody else may answer, broader hosts of others make no difference.
            if rights.is_contested(attachment.key.namespace, host):
                above = tuple(hosts.all_broader(host))
                has_foreign.update((_HOST_BELOW, each, "") for each in above)
                foreign.update((_HOST, each, "") for each in above)
        return cls(frozenset(has), frozenset(conflicts), frozenset(has_foreign), frozenset(foreign))


class Relations:
    """The attachments of a gateway by their marks."""

    def __init__(self) -> None:
        """Begins empty."""
        self._marks: dict[Key, Marks] = {}
        self._having: dict[_Mark, set[Key]] = defaultdict(set)
        self._foreign: dict[_Mark, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))

    def put(self, key: Key, marks: Marks) -> None:
        """Adds an attachment, or replaces it."""
        self.drop(key)
        self._marks[key] = marks
        for mark in marks.has:
            self._having[mark].add(key)
        for mark in marks.has_foreign:
            self._foreign[mark][key.namespace].add(key)

    def drop(self, key: Key) -> None:
        """Removes an attachment, if it is known."""
        marks = self._marks.pop(key, None)
        if marks is None:
            return
        for mark in marks.has:
            self._having[mark].discard(key)
            if not self._having[mark]:
                del self._having[mark]
        for mark in marks.has_foreign:
            by_namespace = self._foreign[mark]
            by_namespace[key.namespace].discard(key)
            if not by_namespace[key.namespace]:
                del by_namespace[key.namespace]
            if not by_namespace:
                del self._foreign[mark]

    def direct(self, keys: Iterable[Key]) -> set[Key]:
        """Returns the attachments that request something that one of these conflicts with."""
        found: set[Key] = set()
        for key in keys:
            marks = self._marks.get(key)
            if marks is None:
                continue
            for mark in marks.conflicts_with & self._having.keys():
                found |= self._having[mark]
            for mark in marks.foreign & self._foreign.keys():
                for namespace, others in self._foreign[mark].items():
                    if namespace != key.namespace:
                        found |= others
        return found

    def closure(self, keys: set[Key]) -> set[Key]:
        """Returns these attachments and all that conflict with them, directly or through others."""
        found, new = set(keys), set(keys)
        while new:
            new = self.direct(new) - found
            found |= new
        return found


def _lineage(path: str) -> Iterator[str]:
    yield path
    yield from patterns.ancestors(path)
