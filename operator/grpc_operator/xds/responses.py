"""The responses: their size, and what a resource makes the proxy request next."""

from dataclasses import dataclass, field
from typing import Any

from envoy.config.route.v3 import scoped_route_pb2
from envoy.service.discovery.v3 import discovery_pb2

from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, ROUTES, SCOPE, Resource, Snapshot

MAX_BYTES = 1_000_000
"""Resources of a response: a large configuration is sent in parts."""

MAX_REMOVED = 5_000
"""Names of resources that do not exist in a response, so that none takes long to make."""


def kind(type_url: str) -> str:
    """Returns the message name of a type URL, such as ``RouteConfiguration``."""
    return type_url.rpartition(".")[2]


@dataclass
class Batch:
    """What one response carries.

    Attributes:
        resources: With one of them, a NACK says exactly which one was rejected.
        removed: Names of resources that do not exist, or no longer.
    """

    type_url: str
    resources: list[Resource] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    _bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.resources or self.removed)

    def full(self) -> bool:
        """Returns whether nothing more should be added: routes are sent one by one."""
        return (
            self._bytes >= MAX_BYTES
            or len(self.removed) >= MAX_REMOVED
            or (self.type_url == ROUTES and bool(self.resources))
        )

    def add(self, resource: Resource) -> None:
        """Adds a resource."""
        self.resources.append(resource)
        self._bytes += resource.body.ByteSize()

    def versions(self) -> dict[str, str | None]:
        """Returns the version of each name in here; ``None`` for a removal."""
        removed: dict[str, str | None] = dict.fromkeys(self.removed)
        return removed | {resource.name: resource.version for resource in self.resources}

    def response(self, nonce: str) -> Any:
        """Returns the DeltaDiscoveryResponse."""
        return discovery_pb2.DeltaDiscoveryResponse(
            type_url=self.type_url,
            nonce=nonce,
            removed_resources=self.removed,
            resources=[
                discovery_pb2.Resource(
                    name=resource.name, version=resource.version, resource=resource.body
                )
                for resource in self.resources
            ],
        )


def follow_up(type_url: str, resource: Resource, snapshot: Snapshot) -> tuple[str, str] | None:
    """Returns type and name of what the proxy needs before it can use a resource.

    A cluster needs its endpoints, a scope its routes; ``None`` when nothing (more) is needed.
    """
    if type_url == CLUSTER:
        needed = (ENDPOINTS, resource.name)
    elif type_url == SCOPE:
        scope = scoped_route_pb2.ScopedRouteConfiguration.FromString(resource.body.value)
        needed = (ROUTES, scope.route_configuration_name)
    else:
        return None
    return needed if needed[1] in snapshot.resources.get(needed[0], {}) else None
