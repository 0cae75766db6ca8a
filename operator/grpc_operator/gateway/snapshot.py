"""The desired configuration of a gateway's proxies: versioned xDS resources by type and name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.any_pb2 import Any

from grpc_operator.resources import Key

_PREFIX = "type.googleapis.com/"
LISTENER = _PREFIX + "envoy.config.listener.v3.Listener"
CLUSTER = _PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINTS = _PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
ROUTES = _PREFIX + "envoy.config.route.v3.RouteConfiguration"
SCOPE = _PREFIX + "envoy.config.route.v3.ScopedRouteConfiguration"


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
    """

    resources: Mapping[str, Mapping[str, Resource]]
    config_hashes: Mapping[Key, str]
    reported: frozenset[str] = frozenset()
