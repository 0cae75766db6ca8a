"""The HTTP filters, the same on every listener; route tables enable those that a request needs.

All but the router are disabled, because a filter costs each request about as much as choosing its
route, even when it does nothing. What a table or route has a configuration for is enabled there.
Envoy makes the chain of a request by the first route it selects (``http_filters[].disabled``):
so tables with REST routes enable what the REST scopes need.
"""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.http.buffer.v3 import buffer_pb2
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from grpc_operator.gateway.envoy import (
    compressed_responses,
    local_reply_texts,
    proxy_module,
    resource_names,
    transcoder,
)
from grpc_operator.gateway.envoy.protobuf import pack

_NEVER_USED = 1
"""A limit that Envoy requires: every route that enables the filter brings its own."""


def build() -> list[hcm.HttpFilter]:
    """Returns the filters in the order in which requests pass them.

    Those of the module for requests are first: what follows must see the route of the REST scope.
    That for responses is next to the server: the transcoder replaces the status of a call by an
    HTTP status, and the filter of gRPC-Web moves it into the body. A body is complete before the
    transcoder gets it. The router does not count calls by HTTP status, which says nothing of those
    by gRPC: ``call_metrics`` counts them.
    """
    return [
        _filter(resource_names.REST_REQUESTS, proxy_module.http_filter("rest_requests")),
        _filter(resource_names.GRPC_WEB_REQUESTS, proxy_module.http_filter("grpc_web_requests")),
        _filter(resource_names.CORS, cors_pb2.Cors()),
        _filter(resource_names.BUFFER, _buffer(_NEVER_USED)),
        _filter(resource_names.GRPC_WEB, grpc_web_pb2.GrpcWeb()),
        _filter(resource_names.TRANSCODER, transcoder.empty()),
        _filter(resource_names.CUSTOM_RESPONSE, compressed_responses.filter_config()),
        _filter(
            resource_names.RESPONSE,
            proxy_module.http_filter("responses", local_reply_texts.NOTHING),
        ),
        hcm.HttpFilter(
            name=resource_names.ROUTER,
            typed_config=pack(
                router_pb2.Router(suppress_envoy_headers=True, dynamic_stats=BoolValue(value=False))
            ),
        ),
    ]


def enabled() -> Any:
    """Returns what enables a filter, with its own configuration, where a table or route has it."""
    return pack(route.FilterConfig(config=Any()))


def whole_body(limit: int) -> Any:
    """Returns what makes a route wait for the whole body of a request; 413 beyond a size.

    The transcoder itself counts only what it has not read yet, so that it accepts a message of any
    size that arrives in small pieces.

    Args:
        limit: Size in bytes.
    """
    return pack(buffer_pb2.BufferPerRoute(buffer=_buffer(limit)))


def any_body() -> Any:
    """Returns what has the filter of ``whole_body`` in the chain of a request, but does nothing."""
    return pack(buffer_pb2.BufferPerRoute(disabled=True))


def _buffer(limit: int) -> buffer_pb2.Buffer:
    return buffer_pb2.Buffer(max_request_bytes=UInt32Value(value=limit))


def _filter(name: str, config: Message) -> hcm.HttpFilter:
    return hcm.HttpFilter(name=name, typed_config=pack(config), disabled=True)
