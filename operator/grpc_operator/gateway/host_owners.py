"""Whose a host of a gateway is: so that a wildcard of one namespace never answers for another one.

A host is one namespace's, or several', from when a service of it was accepted there, and some are
reserved before that (``host_rights``). The most specific host that covers a name decides.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import compress
from operator import not_
from typing import NamedTuple

from grpc_operator.gateway import hosts
from grpc_operator.gateway.host_rights import HostRights
from grpc_operator.resources import Key

_ALONE = (True, False)
"""A namespace owns a domain, and shares it with no other one."""


class AcceptedHosts:
    """The namespaces of the services that were accepted on each host."""

    def __init__(self) -> None:
        """Begins with no services."""
        self._hosts: dict[Key, tuple[str, ...]] = {}
        self._services: dict[str, Counter[str]] = defaultdict(Counter)
        self._owners: dict[str, frozenset[str]] = {}

    @property
    def owners(self) -> Mapping[str, frozenset[str]]:
        """The namespaces by host; changes with the next update."""
        return self._owners

    def update(self, key: Key, accepted: tuple[str, ...]) -> bool:
        """Sets the hosts on which a service was accepted; returns whether any owner differs."""
        before = self._hosts.pop(key, ())
        if accepted:
            self._hosts[key] = accepted
        for host in before:
            self._services[host][key.namespace] -= 1
        for host in accepted:
            self._services[host][key.namespace] += 1
        differ = [host for host in {*before, *accepted} if self._count(host)]
        return bool(differ)

    def _count(self, host: str) -> bool:
        """Sets the owners of a host; returns whether they differ from before."""
        owners = frozenset(name for name, count in self._services[host].items() if count > 0)
        if owners == self._owners.get(host, frozenset()):
            return False
        if owners:
            self._owners[host] = owners
        else:
            del self._owners[host], self._services[host]
        return True


class Entries(NamedTuple):
    """Domains that need a virtual host beside wildcards of some namespaces, sorted."""

    owned: tuple[str, ...]
    others: tuple[str, ...]


class HostOwners:
    """Whose each host of a gateway is at one listener.

    Args:
        accepted: Namespaces with accepted services, by host.
        rights: Who may have which host.
        listener: Host name of the listener; ``None`` for any.
    """

    def __init__(
        self, accepted: Mapping[str, frozenset[str]], rights: HostRights, listener: str | None
    ) -> None:
        self.listener = listener
        self._accepted = accepted
        self._rights = rights
        self._boundaries: dict[str, Mapping[str, tuple[bool, bool]]] = {}
        self._owned: dict[tuple[str, str], bool] = {}
        self._entries: dict[frozenset[str], Entries] = {}

    def owns(self, namespace: str, domain: str) -> bool:
        """Returns whether a namespace may answer on a domain of the listener."""
        known = self._owned.get((namespace, domain))
        if known is None:
            known = self._owned[namespace, domain] = self._owns(namespace, domain)
        return known

    def _owns(self, namespace: str, domain: str) -> bool:
        host = self.nearest(domain)
        if host in self._accepted:
            return namespace in self._accepted[host]
        return self._rights.allows(namespace, domain)

    def is_shared(self, domain: str) -> bool:
        """Returns whether services of several namespaces were accepted on a domain."""
        return len(self._accepted.get(self.nearest(domain), ())) > 1

    def nearest(self, domain: str) -> str:
        """Returns the most specific known host that covers a domain; empty if none does."""
        known = self._known
        return domain if domain in known else next(hosts.broader(domain, known), "")

    def boundaries(self, namespace: str) -> Mapping[str, tuple[bool, bool]]:
        """Returns where hosts of a namespace end or begin: whether it owns, and shares, a domain.

        Only these need virtual hosts of their own beside the broader ones of the namespace.
        """
        if namespace not in self._boundaries:
            domains = {*self._domains, *self._at_listener(self._rights.home(namespace))}
            found = {domain: self._of(namespace, domain) for domain in sorted(domains)}
            self._boundaries[namespace] = {
                domain: of
                for domain, of in found.items()
                if of != next((found[each] for each in hosts.broader(domain, found)), _ALONE)
            }
        return self._boundaries[namespace]

    def entries(self, namespaces: frozenset[str]) -> "Entries":
        """Returns the boundaries of some namespaces by whether any of these owns a domain."""
        if namespaces not in self._entries:
            found = sorted({each for name in namespaces for each in self.boundaries(name)})
            owned = [any(self.owns(name, each) for name in namespaces) for each in found]
            self._entries[namespaces] = Entries(
                tuple(compress(found, owned)), tuple(compress(found, map(not_, owned)))
            )
        return self._entries[namespaces]

    def _of(self, namespace: str, domain: str) -> tuple[bool, bool]:
        owns = self.owns(namespace, domain)
        return owns, owns and self.is_shared(domain)

    @cached_property
    def _known(self) -> Mapping[str, None]:
        return dict.fromkeys((*self._rights.reserved, *self._accepted))

    @cached_property
    def _domains(self) -> frozenset[str]:
        """What is known of the listener's hosts; nobody else has a host in one's home."""
        accepted = (host for host in self._accepted if not self._rights.is_exclusive(host))
        return frozenset(self._at_listener((*self._rights.reserved, *accepted)))

    def _at_listener(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            domain = hosts.intersect(self.listener, name)
            if domain is not None:
                yield domain


class GatewayHosts:
    """Whose each host of a gateway is at each of its listeners, kept up to date.

    Args:
        listeners: Host names of the listeners, by their names.
        rights: Who may have which host.
    """

    def __init__(self, listeners: Mapping[str, str | None], rights: HostRights) -> None:
        self._listeners = listeners
        self._rights = rights
        self._accepted = AcceptedHosts()
        self._owners: dict[str, HostOwners] = {}
        self._renew()

    def set_rights(self, rights: HostRights) -> None:
        """Sets who may have which host."""
        self._stale |= rights is not self._rights
        self._rights = rights

    def accept(self, key: Key, accepted: tuple[str, ...]) -> None:
        """Sets the hosts on which a service was accepted."""
        self._stale |= self._accepted.update(key, accepted)

    def at(self, listener: str) -> HostOwners:
        """Returns whose the hosts of a listener are, as of the last renewal."""
        return self._owners[listener]

    def renew(self, namespaces: Iterable[str]) -> set[str]:
        """Brings the owners up to date.

        Args:
            namespaces: Those that have wildcards.

        Returns:
            Which of them meet other hosts now.
        """
        if not self._stale:
            return set()
        before = self._owners
        self._renew()
        return {
            namespace
            for namespace in namespaces
            for name, owners in self._owners.items()
            if owners.boundaries(namespace) != before[name].boundaries(namespace)
        }

    def _renew(self) -> None:
        accepted = dict(self._accepted.owners)
        self._owners = {
            name: HostOwners(accepted, self._rights, hostname)
            for name, hostname in self._listeners.items()
        }
        self._stale = False
