"""What one proxy requests and has of one resource type: the client's side of incremental xDS.

The rules are those of Envoy's xDS protocol document, section "Incremental xDS".
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grpc_operator.gateway.snapshot import CLUSTER, LISTENER, SCOPE, Resource

WILDCARD = "*"

Names = OrderedDict[str, None]
"""Names in order, of which the first is taken at a cost that does not grow with their number, as it
would from a dict."""

_LEGACY_WILDCARD = frozenset({LISTENER, CLUSTER, SCOPE})
"""Types whose first request without a name subscribes to everything."""


@dataclass(frozen=True)
class Rejection:
    """A version that the proxy rejected (NACK).

    Attributes:
        message: The proxy's ``error_detail``.
    """

    version: str
    message: str


@dataclass
class Subscription:
    """One type on one stream.

    Attributes:
        wildcard: Whether it is for every resource.
        names: The names it is for.
        applied: Versions that the proxy has, by name.
        rejected: Versions that the proxy rejected, by name.
        in_flight: Nonce of the unanswered response, by name. A resource is in flight at most once,
            so a proxy that does not answer costs no more memory than the snapshot has names.
        requested: Names to send before any step of the plan, in order of arrival.
        retry_singly: Names to send again one by one, because a response with several was rejected.
        resend_after_ack: Names to send again when the response that is in flight is answered.
        unsettled: Names of which the proxy may have another version than the newest snapshot has:
            nobody has to compare all of them to find these.
    """

    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    applied: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, Rejection] = field(default_factory=dict)
    in_flight: dict[str, str] = field(default_factory=dict)
    requested: Names = field(default_factory=Names)
    retry_singly: Names = field(default_factory=Names)
    resend_after_ack: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)

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
        made = cls(wildcard=not names and type_url in _LEGACY_WILDCARD, applied=dict(versions))
        made.subscribe(names, known=versions)
        return made

    def differing(self, named: Mapping[str, Resource]) -> list[str]:
        """Returns the names of which the proxy has not what a snapshot has, sorted.

        Args:
            named: The resources of the newest snapshot.
        """
        self.unsettled = {
            name
            for name in self.unsettled
            if self.applied.get(name) != (named[name].version if name in named else None)
        }
        return sorted(self.unsettled)

    def includes(self, name: str) -> bool:
        """Returns whether changes of a resource are to be sent."""
        return self.wildcard or name in self.names

    def subscribe(self, names: Iterable[str], known: Mapping[str, str] | None = None) -> None:
        """Adds names.

        A name is sent even if the proxy had it before: it requests again what it needs again.

        Args:
            names: ``resource_names_subscribe``.
            known: Names the proxy has and needs no response for.
        """
        for name in names:
            if name == WILDCARD:
                self.wildcard = True
                continue
            self.names.add(name)
            if known is None or name not in known:
                self.resend(name)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Removes names, and all state of those that are no longer included."""
        gone = set(names)
        self.names -= gone
        if WILDCARD in gone:
            self.wildcard = False
            gone |= self.applied.keys() | self.rejected.keys() | self.in_flight.keys()
        for name in gone:
            if not self.includes(name):
                self._forget(name)

    def _forget(self, name: str) -> None:
        for state in (
            self.applied,
            self.rejected,
            self.in_flight,
            self.requested,
            self.retry_singly,
        ):
            state.pop(name, None)
        self.resend_after_ack.discard(name)
        self.unsettled.add(name)

    def resend(self, name: str) -> None:
        """Sends a name again, now or when the response that is in flight is answered."""
        self.applied.pop(name, None)
        self.unsettled.add(name)
        if name in self.in_flight:
            self.resend_after_ack.add(name)
        else:
            self.requested[name] = None

    def is_stale(self, resource: Resource) -> bool:
        """Returns whether a resource is included, and neither applied nor rejected as it is."""
        return (
            self.applied.get(resource.name) != resource.version
            and self.includes(resource.name)
            and not self.rejects(resource)
        )

    def rejects(self, resource: Resource) -> bool:
        """Returns whether the proxy rejected exactly this version."""
        rejection = self.rejected.get(resource.name)
        return rejection is not None and rejection.version == resource.version

    def has_answered(self, resource: Resource) -> bool:
        """Returns whether the proxy has some version of a resource, or rejected this one."""
        return resource.name in self.applied or self.rejects(resource)

    def acknowledge(self, name: str, nonce: str) -> bool:
        """Notes an answer, ACK or NACK; returns False if it is not to what was last sent."""
        if self.in_flight.get(name) != nonce:
            return False
        del self.in_flight[name]
        if name in self.resend_after_ack:
            self.resend_after_ack.discard(name)
            self.requested[name] = None
        return True

    def apply(self, name: str, version: str | None) -> None:
        """Notes that the proxy has a version now; ``None``: that it has none."""
        self.rejected.pop(name, None)
        self.unsettled.add(name)
        if version is None or not self.includes(name):
            self.applied.pop(name, None)
        else:
            self.applied[name] = version
