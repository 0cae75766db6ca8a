"""What one proxy wants and holds of one resource type: the client's side of incremental xDS.

The rules are those of Envoy's xDS protocol document, section "Incremental xDS".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grpc_operator.gateway.snapshot import CLUSTER, LISTENER, SCOPE, Resource

WILDCARD = "*"

_LEGACY_WILDCARD = frozenset({LISTENER, CLUSTER, SCOPE})
"""Types whose first request without a name asks for everything."""


@dataclass(frozen=True)
class Rejection:
    """A version that the proxy refused.

    Attributes:
        message: The proxy's words.
    """

    version: str
    message: str


@dataclass
class Subscription:
    """One type on one stream.

    Attributes:
        wildcard: Whether everything is wanted.
        names: What is wanted by name.
        held: Versions that the proxy has, by name.
        rejected: Versions that the proxy refused, by name.
        flying: Nonce of the response on its way, by name. A resource is on its way at most once,
            so a proxy that does not answer costs no more memory than the snapshot has names.
        urgent: Names to answer at once, in order of arrival.
        alone: Names to send again one by one, because a response with several was refused.
        again: Names that become urgent when what is on its way has been answered.
    """

    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, Rejection] = field(default_factory=dict)
    flying: dict[str, str] = field(default_factory=dict)
    urgent: dict[str, None] = field(default_factory=dict)
    alone: dict[str, None] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)

    @classmethod
    def first(
        cls, type_url: str, names: Iterable[str], versions: Mapping[str, str]
    ) -> "Subscription":
        """Returns the state after the first request of a type on a stream.

        Args:
            type_url: The type.
            names: ``resource_names_subscribe``.
            versions: ``initial_resource_versions``: what the proxy has from an earlier stream.
        """
        names = list(names)
        made = cls(wildcard=not names and type_url in _LEGACY_WILDCARD, held=dict(versions))
        made.subscribe(names, known=versions)
        return made

    def wants(self, name: str) -> bool:
        """Returns whether changes of a resource are to be told."""
        return self.wildcard or name in self.names

    def subscribe(self, names: Iterable[str], known: Mapping[str, str] | None = None) -> None:
        """Adds names.

        A name is answered even if the proxy had it before: asking again says that it needs it.

        Args:
            names: ``resource_names_subscribe``.
            known: Names the proxy has and needs no answer for.
        """
        for name in names:
            if name == WILDCARD:
                self.wildcard = True
                continue
            self.names.add(name)
            if known is None or name not in known:
                self.resend(name)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Removes names, and forgets everything about those no longer wanted."""
        gone = set(names)
        self.names -= gone
        if WILDCARD in gone:
            self.wildcard = False
            gone |= self.held.keys() | self.rejected.keys() | self.flying.keys()
        for name in gone:
            if not self.wants(name):
                self._forget(name)

    def _forget(self, name: str) -> None:
        for state in (self.held, self.rejected, self.flying, self.urgent, self.alone):
            state.pop(name, None)
        self.again.discard(name)

    def resend(self, name: str) -> None:
        """Makes a name urgent, now or when what is on its way has been answered."""
        self.held.pop(name, None)
        if name in self.flying:
            self.again.add(name)
        else:
            self.urgent[name] = None

    def stale(self, resource: Resource) -> bool:
        """Returns whether the proxy wants this resource, and neither has nor refuses it so."""
        return (
            self.held.get(resource.name) != resource.version
            and self.wants(resource.name)
            and not self.refuses(resource)
        )

    def refuses(self, resource: Resource) -> bool:
        """Returns whether the proxy refused exactly this version."""
        rejection = self.rejected.get(resource.name)
        return rejection is not None and rejection.version == resource.version

    def knows(self, resource: Resource) -> bool:
        """Returns whether the proxy has some version of a resource, or refuses this one."""
        return resource.name in self.held or self.refuses(resource)

    def land(self, name: str, nonce: str) -> bool:
        """Ends a flight; returns False if the name was given up or sent anew meanwhile."""
        if self.flying.get(name) != nonce:
            return False
        del self.flying[name]
        if name in self.again:
            self.again.discard(name)
            self.urgent[name] = None
        return True

    def take(self, name: str, version: str | None) -> None:
        """Notes that the proxy has a version now; ``None``: that it has none."""
        self.rejected.pop(name, None)
        if version is None or not self.wants(name):
            self.held.pop(name, None)
        else:
            self.held[name] = version
