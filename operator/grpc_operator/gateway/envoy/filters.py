"""The HTTP filters, the same on every listener; route tables enable those that a request needs.

All but the router are disabled, because a filter costs each request about as much as choosing its
route, even when it does nothing. What a table or route has a configuration for is enabled there.
Envoy makes the chain of a request by the first route it selects (``http_filters[].disabled``):
so tables with REST routes enable what the REST scopes need.
"""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway.envoy import resource_names, scoped_routes, transcoder
from grpc_operator.gateway.envoy.protobuf import pack


def build() -> list[hcm.HttpFilter]:
    """Returns the filters in the order in which requests pass them.

    The script is first: what follows must see the route of the REST scope. Methods are
    counted after transcoding, so that REST calls count too.
    """
    return [
        _filter(resource_names.LUA, scoped_routes.script()),
        _filter(resource_names.CORS, cors_pb2.Cors()),
        _filter(resource_names.GRPC_WEB, grpc_web_pb2.GrpcWeb()),
        _filter(resource_names.TRANSCODER, transcoder.empty()),
        _filter(resource_names.GRPC_STATS, _stats()),
        hcm.HttpFilter(
            name=resource_names.ROUTER,
            typed_config=pack(router_pb2.Router(suppress_envoy_headers=True)),
        ),
    ]


def enabled() -> Any:
    """Returns what enables a filter, with its own configuration, where a table or route has it."""
    return pack(route.FilterConfig(config=Any()))


def disabled() -> Any:
    """Returns what disables a filter on a route of a table that enables it."""
    return pack(route.FilterConfig(disabled=True, config=Any()))


def _stats() -> grpc_stats_pb2.FilterConfig:
    return grpc_stats_pb2.FilterConfig(
        stats_for_all_methods=BoolValue(value=True), replace_dots_in_grpc_service_name=True
    )


def _filter(name: str, config: Message) -> hcm.HttpFilter:
    return hcm.HttpFilter(name=name, typed_config=pack(config), disabled=True)
