"""Requests as a proxy writes them, and snapshots of plain texts."""

from collections.abc import Mapping
from typing import Any

from envoy.config.route.v3 import scoped_route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.any_pb2 import Any as Packed

from grpc_operator.gateway.snapshot import SCOPE, Resource, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.responses import kind
from grpc_operator.xds.shared_tables import Tables
from grpc_operator.xds.state import Stats
from grpc_operator.xds.stream_state import StreamState

Response = tuple[str, dict[str, str], tuple[str, ...]]
"""A response: message name, versions by resource name, names removed."""


def resource(type_url: str, name: str, version: str, **more: Any) -> Resource:
    """Returns a resource; a scope's routes have its name."""
    body = Packed(type_url=type_url, value=version.encode())
    if type_url == SCOPE:
        scope = scoped_route_pb2.ScopedRouteConfiguration(name=name, route_configuration_name=name)
        body.value = scope.SerializeToString()
    return Resource(name, version, body, **more)


def snapshot(
    versions: Mapping[str, Mapping[str, str]],
    config_hashes: Mapping[Key, str] | None = None,
    *,
    stages: Mapping[str, int] | None = None,
    owners: Mapping[str, Key] | None = None,
    sharers: Mapping[str, tuple[Key, ...]] | None = None,
) -> Snapshot:
    """Returns a snapshot.

    Args:
        versions: By type URL and name.
        config_hashes: By service.
        stages: By name.
        owners: By name.
        sharers: By name.
    """
    return Snapshot(
        {
            type_url: {
                name: resource(
                    type_url,
                    name,
                    version,
                    stage=(stages or {}).get(name, 0),
                    owner=(owners or {}).get(name),
                    sharers=frozenset((sharers or {}).get(name, ())),
                )
                for name, version in named.items()
            }
            for type_url, named in versions.items()
        },
        config_hashes or {},
    )


class Proxy:
    """A proxy by hand: it sends only what a test makes it send.

    Attributes:
        now: The time in seconds.
    """

    def __init__(self, accepted: Tables | None = None) -> None:
        """Connects; ``accepted`` is what other proxies of the gateway accepted."""
        self.stats = Stats()
        self.stream = StreamState("node", self.stats, {} if accepted is None else accepted)
        self.now = 0.0
        self.unanswered: list[tuple[str, str]] = []

    def subscribe(
        self,
        type_url: str,
        *names: str,
        unsubscribe: tuple[str, ...] = (),
        has: Mapping[str, str] | None = None,
    ) -> None:
        """Subscribes; ``has`` is what it had before this stream."""
        self.stream.receive(
            discovery_pb2.DeltaDiscoveryRequest(
                type_url=type_url,
                resource_names_subscribe=names,
                resource_names_unsubscribe=unsubscribe,
                initial_resource_versions=has or {},
            ),
            self.now,
        )

    def responses(self) -> list[Response]:
        """Returns every response that is sent without further requests."""
        sent: list[Response] = []
        while (response := self.stream.next_response(self.now)) is not None:
            self.unanswered.append((response.type_url, response.nonce))
            versions = {r.name: r.version for r in response.resources}
            sent.append((kind(response.type_url), versions, tuple(response.removed_resources)))
        return sent

    def ack(self, reject: str = "") -> None:
        """Answers everything; with ``reject``, each time with this error."""
        for type_url, nonce in self.unanswered:
            request: Any = discovery_pb2.DeltaDiscoveryRequest(
                type_url=type_url, response_nonce=nonce
            )
            if reject:
                request.error_detail.message = reject
            self.stream.receive(request, self.now)
        self.unanswered = []

    def converge(self) -> list[Response]:
        """Acknowledges until there is nothing more to send, and returns all responses."""
        every: list[Response] = []
        while sent := self.responses():
            every += sent
            self.ack()
        return every
