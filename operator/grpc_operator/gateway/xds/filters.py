"""The HTTP filters, the same on every listener; routes say what each does for them."""

from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway.xds import names, scopes, transcoder
from grpc_operator.gateway.xds.messages import pack


def build() -> list[hcm.HttpFilter]:
    """Returns the filters in the order in which requests pass them.

    The script is first: what follows must see the route of the service's own scope. Methods are
    counted after transcoding, so that REST calls count too.
    """
    return [
        _filter(names.LUA, scopes.script()),
        _filter(names.CORS, cors_pb2.Cors()),
        _filter(names.GRPC_WEB, grpc_web_pb2.GrpcWeb()),
        _filter(names.TRANSCODER, transcoder.empty()),
        _filter(names.GRPC_STATS, _stats()),
        _filter(names.ROUTER, router_pb2.Router(suppress_envoy_headers=True)),
    ]


def _stats() -> grpc_stats_pb2.FilterConfig:
    return grpc_stats_pb2.FilterConfig(
        stats_for_all_methods=BoolValue(value=True), replace_dots_in_grpc_service_name=True
    )


def _filter(name: str, config: Message) -> hcm.HttpFilter:
    return hcm.HttpFilter(name=name, typed_config=pack(config))
