"""What was claimed on which host, and who has something that a further claim conflicts with."""

from collections import defaultdict
from collections.abc import Container
from typing import NamedTuple

from grpc_operator.gateway import patterns
from grpc_operator.gateway.claims import GRPC, PREFIX, Item
from grpc_operator.gateway.path_tree import PathTree
from grpc_operator.resources import Key


class Conflict(NamedTuple):
    """Who has what a claim conflicts with.

    Attributes:
        owner: The GrpcService.
        is_equal: Whether it has the same; otherwise something that overlaps.
    """

    owner: Key
    is_equal: bool = False


class ConflictIndex:
    """The owners of claims.

    Services of one namespace conflict only on the same gRPC service, REST verb and path, or prefix:
    of what overlaps otherwise, the more specific one goes first, as everywhere in HTTP. Services of
    different namespaces conflict on everything that overlaps, whatever the verb.

    Args:
        shared: Hosts that services of more than one namespace request.
    """

    def __init__(self, shared: Container[str]) -> None:
        self._shared = shared
        self._equal: dict[tuple[str, str, str], Key] = {}
        self._prefixes: dict[tuple[str, str], Key] = {}
        self._at_or_above: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._trees: dict[str, PathTree] = defaultdict(PathTree)

    def add(self, owner: Key, host: str, item: Item) -> None:
        """Adds a claim, with which later ones of others may conflict."""
        self._equal.setdefault((host, item.kind, item.text), owner)
        if host in self._shared:
            self._trees[host].add(item.parts, owner)
        if item.kind == GRPC:
            return
        for path in (item.path, *patterns.ancestors(item.path)):
            self._at_or_above[host, path].add(owner)
        if item.kind == PREFIX:
            self._prefixes[host, item.path] = owner

    def conflict(self, mine: Key, host: str, item: Item) -> Conflict | None:
        """Returns who has something that a claim conflicts with, other than its own service."""
        owner = self._equal.get((host, item.kind, item.text), mine)
        if owner != mine:
            return Conflict(owner, is_equal=True)
        if item.kind != GRPC:
            found = self._at_prefixes(mine, host, item)
            if found is not None:
                return Conflict(found)
        if host in self._shared:
            found = self._trees[host].other(item.parts, mine.namespace)
            if found is not None:
                return Conflict(found)
        return None

    def _at_prefixes(self, mine: Key, host: str, item: Item) -> Key | None:
        """Returns whose prefix an item is at or below, or what is at or below an item's prefix."""
        for path in (item.path, *patterns.ancestors(item.path)):
            owner = self._prefixes.get((host, path), mine)
            if owner != mine:
                return owner
        if item.kind == PREFIX:
            below = self._at_or_above.get((host, item.path), set()) - {mine}
            return min(below, default=None)
        return None
