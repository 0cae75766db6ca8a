"""Route tables: one for each listener and first segment of the path that anyone serves."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2

from grpc_operator.gateway.claims import Segment
from grpc_operator.gateway.envoy import filters, resource_names, table_parts, virtual_hosts
from grpc_operator.gateway.envoy.memo import Memo
from grpc_operator.gateway.envoy.protobuf import embedded, pack, serialised
from grpc_operator.gateway.envoy.virtual_hosts import Claimed, RoutesOfClaims
from grpc_operator.gateway.host_owners import HostOwners
from grpc_operator.gateway.infrastructure import PROBE_CLUSTER_HEADER
from grpc_operator.gateway.snapshot import Part, Resource

_OURS = (
    resource_names.SCOPE_HEADER,
    resource_names.TIMEOUT_HEADER,
    PROBE_CLUSTER_HEADER,
    "x-envoy-external-address",
)
"""Headers by which Envoy knows what to do; ``x-forwarded-for`` has the client's address too."""

_NEEDED_BY_REST = (
    resource_names.CORS,
    resource_names.TRANSCODER,
    resource_names.GRPC_STATS,
    resource_names.CUSTOM_RESPONSE,
    resource_names.RESPONSE,
)
"""Filters that REST scopes use besides."""

_AFTER_REST_SCOPES = 1
"""Stage of a table that redirects requests to the REST scopes of services: after those."""


class Table:
    """The table of one segment at one listener; a changed claim rebuilds only its virtual hosts."""

    def __init__(self, name: str) -> None:
        """Begins with an empty cache.

        Args:
            name: Name of the resource.
        """
        self._name = name
        self._virtual_hosts = Memo[Claimed, Part]()
        self._routes: RoutesOfClaims = {}
        self._frame = serialised(frame(name, ()))
        self._frame_of_rest = serialised(_rest_frame(name))

    def build(
        self, segment: Segment, owners: HostOwners, more: Sequence[route.VirtualHost] = ()
    ) -> Resource | None:
        """Returns the table; ``None`` if it would be empty.

        Args:
            segment: Every claim on it.
            owners: Whose the hosts of the listener are.
            more: Further virtual hosts.
        """
        claimed = virtual_hosts.claimed(segment, owners)
        present = set(segment.rest)
        self._routes = {key: made for key, made in self._routes.items() if key[1] in present}
        parts = [self._virtual_hosts.get(of, partial(self._virtual_host, of)) for of in claimed]
        self._virtual_hosts.sweep()
        if not parts and not more:
            return None
        around = self._frame_of_rest if segment.rest else self._frame
        around += b"".join(_field(serialised(each)) for each in more)
        table = table_parts.table(self._name, around, tuple(parts))
        stage = _AFTER_REST_SCOPES if segment.rest else 0
        if more:  # they probe every service
            return replace(table, stage=stage)
        services = {claim.attachment.key for claim in segment.grpc}
        services |= {claim.attachment.key for claim in segment.rest}
        if len(services) == 1:
            return replace(table, stage=stage, owner=services.pop())
        return replace(table, stage=stage, sharers=frozenset(services))

    def _virtual_host(self, of: Claimed) -> Part:
        return virtual_hosts.build(of, self._routes)


def frame(name: str, of: Iterable[route.VirtualHost]) -> route_pb2.RouteConfiguration:
    """Returns a route table of virtual hosts. Words of ours are not passed on."""
    return route_pb2.RouteConfiguration(
        name=name,
        virtual_hosts=of,
        request_headers_to_remove=_OURS,
        ignore_port_in_host_matching=True,
    )


def _rest_frame(name: str) -> route_pb2.RouteConfiguration:
    """Returns a table with the script that REST routes need: on each route it would cost more."""
    made = frame(name, ())
    script = pack(lua_pb2.LuaPerRoute(name=resource_names.SELECT_REST_SCOPE))
    made.typed_per_filter_config[resource_names.LUA].CopyFrom(script)
    for needed in _NEEDED_BY_REST:
        made.typed_per_filter_config[needed].CopyFrom(filters.enabled())
    made.typed_per_filter_config[resource_names.BUFFER].CopyFrom(filters.any_body())
    return made


def _field(virtual_host: bytes) -> bytes:
    """Returns a serialised virtual host as bytes of a table; joined bytes are the joined lists."""
    return embedded(route_pb2.RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER, virtual_host)
