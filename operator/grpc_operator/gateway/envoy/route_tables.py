"""Route tables: one for each listener and first segment of the path that anyone serves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway.claims import Segment
from grpc_operator.gateway.envoy import filters, resource_names, table_parts
from grpc_operator.gateway.envoy.protobuf import embedded, serialised
from grpc_operator.gateway.envoy.virtual_hosts import VirtualHosts
from grpc_operator.gateway.host_owners import HostOwners
from grpc_operator.gateway.infrastructure import PROBE_CLUSTER_HEADER
from grpc_operator.gateway.snapshot import Resource
from grpc_operator.resources import Key

_OURS = (
    resource_names.SCOPE_HEADER,
    resource_names.MALFORMED_HEADER,
    PROBE_CLUSTER_HEADER,
    "x-envoy-external-address",
)
"""Headers by which Envoy knows what to do; ``x-forwarded-for`` has the client's address too."""

_NEEDED_BY_REST = (
    resource_names.REST_REQUESTS,
    resource_names.CORS,
    resource_names.TRANSCODER,
    resource_names.CUSTOM_RESPONSE,
    resource_names.RESPONSE,
)
"""Filters that REST routes and scopes use."""

_AFTER_REST_SCOPES = 1
"""Stage of a table that redirects requests to the REST scopes of services: after those."""


class Table:
    """The table of one segment at one listener; a changed claim rebuilds only its virtual hosts."""

    def __init__(self, listener: str, segment: str) -> None:
        """Begins without claims.

        Args:
            listener: Name of the listener.
            segment: The first segment of the path.
        """
        self._name = resource_names.table(listener, segment)
        self._virtual_hosts = VirtualHosts(listener)
        self._frame = serialised(frame(self._name, ()))
        self._frame_of_rest = serialised(_rest_frame(self._name))

    def update(
        self,
        changed: Mapping[Key, Segment],
        owners: HostOwners,
        more: Sequence[route.VirtualHost] = (),
    ) -> Resource | None:
        """Returns the table; ``None`` if it would be empty.

        Args:
            changed: The claims on it of services that may claim something else than before.
            owners: Whose the hosts of the listener are.
            more: Further virtual hosts.
        """
        self._virtual_hosts.update(changed, owners)
        parts, has_rest = self._virtual_hosts.parts, self._virtual_hosts.has_rest
        if not parts and not more:
            return None
        around = self._frame_of_rest if has_rest else self._frame
        around += b"".join(_field(serialised(each)) for each in more)
        table = table_parts.table(self._name, around, parts)
        stage = _AFTER_REST_SCOPES if has_rest else 0
        if more:  # they probe every service
            return replace(table, stage=stage)
        services = self._virtual_hosts.services
        if len(services) == 1:
            return replace(table, stage=stage, owner=next(iter(services)))
        return replace(table, stage=stage, sharers=services)


def frame(name: str, of: Iterable[route.VirtualHost]) -> route_pb2.RouteConfiguration:
    """Returns a route table of virtual hosts. Words of ours are not passed on."""
    return route_pb2.RouteConfiguration(
        name=name,
        virtual_hosts=of,
        request_headers_to_remove=_OURS,
        ignore_port_in_host_matching=True,
    )


def _rest_frame(name: str) -> route_pb2.RouteConfiguration:
    """Returns a table with what REST routes need: on each route it would cost more."""
    made = frame(name, ())
    for needed in _NEEDED_BY_REST:
        made.typed_per_filter_config[needed].CopyFrom(filters.enabled())
    made.typed_per_filter_config[resource_names.BUFFER].CopyFrom(filters.any_body())
    return made


def _field(virtual_host: bytes) -> bytes:
    """Returns a serialised virtual host as bytes of a table; joined bytes are the joined lists."""
    return embedded(route_pb2.RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER, virtual_host)
