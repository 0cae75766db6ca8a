"""Which part of a refused route table is to blame, without I/O: the others go ahead.

Envoy refuses a table as a whole. One that several services share is sent again as it was accepted
last, then with the changed virtual hosts added in halves, until each is accepted or refused alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grpc_operator.gateway.envoy import table_parts
from grpc_operator.gateway.snapshot import ROUTES, Part, Resource, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.subscription import Subscription

Tables = dict[str, Resource]
"""Route tables by name."""

_Group = tuple[Part, ...]


@dataclass
class _Search:
    """The search for what a proxy refuses in one table.

    Attributes:
        groups: Virtual hosts that may be to blame: the last group is added next. None: found.
        refused: Virtual hosts that are to blame.
        version: The table whose answer decides about the last group.
    """

    groups: list[_Group] = field(default_factory=list)
    refused: frozenset[Part] = frozenset()
    version: str = ""


class SharedTables:
    """What one proxy accepts of the tables that services share.

    Args:
        accepted: What any proxy of the gateway accepted last, for proxies that have nothing yet.

    Attributes:
        settled: Names of the tables that may be others than before ``settle``, or in the snapshot.
    """

    def __init__(self, accepted: Tables) -> None:
        self._accepted = accepted
        self._applied: Tables = {}
        self._sent: Tables = {}
        self._tables: Mapping[str, Resource] = {}
        self._searches: dict[str, _Search] = {}
        self._refused_whole: dict[str, str] = {}
        self._snapshot: Snapshot | None = None
        self.settled: frozenset[str] = frozenset()

    def settle(self, newest: Snapshot, subscription: Subscription | None) -> Snapshot:
        """Returns a snapshot with what the proxy refuses as it was before.

        Args:
            newest: What the proxy should have.
            subscription: Its subscription to route tables.
        """
        self._tables = newest.resources.get(ROUTES, {})
        for name in newest.since(self._snapshot).names.get(ROUTES, ()):
            if name not in self._tables:
                for known in (self._applied, self._sent, self._refused_whole):
                    known.pop(name, None)
        self._snapshot = newest
        applied = subscription.applied if subscription is not None else {}
        self.settled = frozenset(self._searches)
        instead = {name: self._settled(name, applied.get(name)) for name in self.settled}
        changed = {name: table for name, table in instead.items() if table is not None}
        if not changed:
            return newest
        tables = {**newest.resources, ROUTES: {**self._tables, **changed}}
        return replace(newest, resources=tables, held_back=frozenset(changed))

    def sent(self, table: Resource) -> None:
        """Notes that a table is in flight."""
        if table.parts:
            self._sent[table.name] = table

    def applied(self, name: str, version: str | None) -> bool:
        """Notes what the proxy has applied; returns whether something else is to be sent now."""
        sent = self._sent.get(name)
        if sent is None or sent.version != version:
            return False
        self._applied[name] = sent
        search = self._searches.get(name)
        if search is None or not search.groups:
            self._accepted[name] = sent
            return False
        if search.version != version:
            return False
        search.groups.pop()
        return True

    def rejected(self, name: str, version: str | None, *, has_some: bool) -> bool:
        """Notes what the proxy has refused; returns whether something else is to be sent now.

        Args:
            name: Name of the table.
            version: What was refused.
            has_some: Whether the proxy has another version.
        """
        sent, wanted = self._sent.get(name), self._tables.get(name)
        if sent is None or wanted is None or not wanted.sharers:
            return False
        search = self._searches.get(name)
        if sent.version != version or (search is None and version != wanted.version):
            return True  # an older table: if it is wanted again, it is sent again
        search = search or self._begun(wanted, has_some=has_some)
        if search is None:
            return False
        if search.version == version:
            self._narrow(wanted, search)
        return True

    def _begun(self, wanted: Resource, *, has_some: bool) -> _Search | None:
        """Begins to search a table that was refused, if that leads anywhere."""
        if self._refused_whole.get(wanted.name) == wanted.version:
            return None
        if has_some and not self._base(wanted.name):
            return None  # to search would take away what it serves, which is not known
        search = self._searches[wanted.name] = _Search(version=wanted.version)
        return search

    def _narrow(self, wanted: Resource, search: _Search) -> None:
        """Divides the virtual hosts that were added last, as the proxy refuses them."""
        if not search.groups:
            search.groups = [*_halves(self._doubtful(wanted, search)), ()]
            return
        group = search.groups.pop()
        if not group:  # without all of them it is refused too
            del self._searches[wanted.name]
            self._refused_whole[wanted.name] = wanted.version
        elif len(group) == 1:
            search.refused |= {*group}
        else:
            search.groups += _halves(group)

    def _settled(self, name: str, applied: str | None) -> Resource | None:
        """Returns what is sent instead of a table; ``None``: the table itself."""
        search, wanted = self._searches[name], self._tables.get(name)
        if wanted is not None:
            search.refused &= {*wanted.parts}
        if wanted is None or not wanted.sharers or not (search.refused or search.groups):
            del self._searches[name]
            return None
        while True:
            left_out = search.refused
            if search.groups:
                left_out = left_out.union(self._doubtful(wanted, search)) - {*search.groups[-1]}
            made = table_parts.without(wanted, left_out, self._base(name))
            search.version = made.version
            if not search.groups or applied != made.version:
                break
            search.groups.pop()
        services = (each.services for each in search.refused)
        return replace(made, refused=frozenset[Key]().union(*services))

    def _doubtful(self, wanted: Resource, search: _Search) -> _Group:
        known = search.refused.union(self._base(wanted.name))
        return tuple(each for each in wanted.parts if each.services and each not in known)

    def _base(self, name: str) -> _Group:
        base = self._applied.get(name) or self._accepted.get(name)
        return base.parts if base is not None else ()


def _halves(group: _Group) -> list[_Group]:
    middle = len(group) // 2
    return [half for half in (group[middle:], group[:middle]) if half]
