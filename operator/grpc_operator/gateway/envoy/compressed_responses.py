"""Responses that a server compressed although the client did not accept it (compression.md).

Neither Envoy's transcoder nor clients of gRPC-Web without ``grpc-accept-encoding`` can read them.
The module, next to the server, sees which messages are compressed: the call ends with INTERNAL. A
stream is refused by its headers, before any of it is sent, because it could only be cut later.
"""

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.http.custom_response.v3 import custom_response_pb2
from envoy.extensions.http.custom_response.local_response_policy.v3 import (
    local_response_policy_pb2,
)
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import UInt32Value
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.protobuf import pack

MESSAGE = "the server compressed its response, which the client does not accept"
STATUS = 520
"""HTTP status of a refused stream until local replies are mapped; Envoy itself has none like it."""

STREAMED = ("ServerStreaming", "Bidirectional")
"""Kinds of methods whose responses are streams."""

_STREAMS = "streams"
MARK = "x-grpc-operator-compressed"
"""Header of a response that is refused; it does not leave the proxy."""


def refuse_streams(on: route.Route) -> None:
    """Has the streams of a route refused that are compressed."""
    fields = Struct()
    fields.update({_STREAMS: True})
    on.metadata.filter_metadata[resource_names.RESPONSE].CopyFrom(fields)
    enabled = pack(route.FilterConfig(config=Any()))
    on.typed_per_filter_config[resource_names.CUSTOM_RESPONSE].CopyFrom(enabled)


def filter_config() -> custom_response_pb2.CustomResponse:
    """Returns the filter that ends a response which the module has marked.

    Envoy logs a warning for each of these messages, as their API is not final: so no route has one.
    """
    policy = local_response_policy_pb2.LocalResponsePolicy(
        status_code=UInt32Value(value=STATUS), body=base_pb2.DataSource(inline_string=MESSAGE)
    )
    action = extension_pb2.TypedExtensionConfig(name="refuse", typed_config=pack(policy))
    header = pack(http_inputs_pb2.HttpResponseHeaderMatchInput(header_name=MARK))
    tree = matcher_pb2.Matcher.MatcherTree(
        input=extension_pb2.TypedExtensionConfig(name="mark", typed_config=header)
    )
    tree.exact_match_map.map["1"].action.CopyFrom(action)
    return custom_response_pb2.CustomResponse(
        custom_response_matcher=matcher_pb2.Matcher(matcher_tree=tree)
    )
