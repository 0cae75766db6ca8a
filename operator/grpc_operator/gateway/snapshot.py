"""The desired configuration of a gateway's proxies: versioned xDS resources by type and name."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from google.protobuf.any_pb2 import Any

from grpc_operator.resources import Key

_PREFIX = "type.googleapis.com/"
LISTENER = _PREFIX + "envoy.config.listener.v3.Listener"
CLUSTER = _PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINTS = _PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
ROUTES = _PREFIX + "envoy.config.route.v3.RouteConfiguration"
SCOPE = _PREFIX + "envoy.config.route.v3.ScopedRouteConfiguration"

TYPES = (LISTENER, CLUSTER, ENDPOINTS, ROUTES, SCOPE)
"""Every type of which a snapshot has resources."""


class Part(NamedTuple):
    """One virtual host of a route table.

    Attributes:
        domains: At least one.
        services: Those that claim something on it; none if it only keeps others from answering.
        opening: Serialised: what comes before the routes.
        routes: Serialised.
    """

    domains: tuple[str, ...]
    services: frozenset[Key]
    opening: bytes
    routes: bytes


@dataclass(frozen=True)
class Resource:
    """One xDS resource.

    Attributes:
        version: Hash of the content.
        body: The packed message.
        stage: Routes and scopes only: 0 is sent before 1, and 1 only after the proxy has
            acknowledged 0. A table that redirects requests to another scope has a higher stage than
            that scope.
        owner: The one service this resource is for; ``None`` when several share it.
        sharers: The several services that share it. With neither, it concerns every service.
        frame: Route tables only: the serialised table without virtual hosts.
        parts: Route tables only: the virtual hosts.
        refused: Sharers that are not in here as they should be, as the proxy refuses that.
    """

    name: str
    version: str
    body: Any
    stage: int = 0
    owner: Key | None = None
    sharers: frozenset[Key] = frozenset()
    frame: bytes = b""
    parts: tuple[Part, ...] = ()
    refused: frozenset[Key] = frozenset()

    @property
    def concerned(self) -> frozenset[Key | None]:
        """Returns whose status a rejection is reported in; ``None`` stands for every service."""
        if self.owner is not None:
            return frozenset((self.owner,))
        return self.sharers or frozenset((None,))


@dataclass(frozen=True)
class Snapshot:
    """A complete, consistent configuration of one gateway.

    Attributes:
        resources: By type URL, then by name.
        config_hashes: For each attached service, a hash of everything in here that it requested,
            and of its endpoints: equal hashes mean that the service is served in the same way, by
            the same pods.
        reported: The clusters whose calls the proxies are to report.
        held_back: Names of the route tables that are not as they should be (``Resource.refused``).
        change: What differs from the snapshot before it, if that is known.
        version: Distinguishes it from all others.
    """

    resources: Mapping[str, Mapping[str, Resource]]
    config_hashes: Mapping[Key, str]
    reported: frozenset[str] = frozenset()
    held_back: frozenset[str] = frozenset()
    change: "Change | None" = field(default=None, compare=False, repr=False)
    version: object = field(default_factory=object, compare=False, repr=False)

    def since(self, other: "Snapshot | None") -> "Change":
        """Returns what may differ from another snapshot; everything, if that is not known."""
        if other is not None and self.change is not None and self.change.before is other.version:
            return self.change
        known = [self, *([other] if other is not None else [])]
        types = {type_url for each in known for type_url in each.resources}
        return Change(
            None,
            {
                type_url: {name for each in known for name in each.resources.get(type_url, ())}
                for type_url in types
            },
            {key for each in known for key in each.config_hashes},
        )


@dataclass(frozen=True)
class Change:
    """What differs between two snapshots.

    Attributes:
        before: ``Snapshot.version`` of the older one.
        names: Names of resources by type URL.
        services: Those with another config hash, or none.
    """

    before: object
    names: Mapping[str, AbstractSet[str]]
    services: AbstractSet[Key]
