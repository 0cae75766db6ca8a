"""Which paths of other namespaces can answer a request that one path answers, whatever its verb."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from grpc_operator.gateway.patterns import ANY, REST
from grpc_operator.resources import Key


@dataclass
class _Node:
    below: dict[str, "_Node"] = field(default_factory=dict)
    owners: list[Key] = field(default_factory=list)
    namespaces: set[str] = field(default_factory=set)
    """Of the owners here and below."""


class PathTree:
    """The paths of one host, as segments; ``*`` is any one, ``**`` all that are left."""

    def __init__(self) -> None:
        """Begins empty."""
        self._root = _Node()

    def add(self, parts: tuple[str, ...], owner: Key) -> None:
        """Adds a path."""
        node = self._root
        node.namespaces.add(owner.namespace)
        for part in parts:
            node = node.below.setdefault(part, _Node())
            node.namespaces.add(owner.namespace)
        node.owners.append(owner)

    def other(self, parts: tuple[str, ...], namespace: str) -> Key | None:
        """Returns who in another namespace has a path for which there is a common request."""
        # Not recursive: a path may have more segments than Python has stack frames.
        pending = [(self._root, 0)]
        while pending:
            node, index = pending.pop()
            if not node.namespaces - {namespace}:
                continue
            rest = node.below.get(REST)
            if rest is not None and rest.namespaces - {namespace}:
                return _first(rest, namespace)
            if index < len(parts) and parts[index] == REST:
                return _first(node, namespace)
            if index == len(parts):
                found = next((each for each in node.owners if each.namespace != namespace), None)
                if found is not None:
                    return found
                continue
            pending += ((next_, index + 1) for next_ in _next(node, parts[index]))
        return None


def _next(node: _Node, part: str) -> Iterator[_Node]:
    if part == ANY:
        yield from node.below.values()
    else:
        yield from (node.below[each] for each in (part, ANY) if each in node.below)


def _first(node: _Node, namespace: str) -> Key:
    """Returns an owner at or below a node that has one in another namespace."""
    pending = [node]
    while pending:
        node = pending.pop()
        for owner in node.owners:
            if owner.namespace != namespace:
                return owner
        pending += (each for each in node.below.values() if each.namespaces - {namespace})
    raise AssertionError("no owner in another namespace")
