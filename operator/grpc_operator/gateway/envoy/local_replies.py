"""Envoy's local replies: to REST a ``google.rpc.Status`` as JSON, like those of the services.

gRPC calls keep Envoy's own mapping (grpc/grpc, http-grpc-status-mapping.md). So do gRPC-Web calls
on a route; but deadlines, which Envoy would report as UNAVAILABLE there, and paths that nobody
serves, where no route enables the filter of gRPC-Web, are handled here.
"""

from base64 import b64encode
from collections.abc import Callable

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, substitution_format_string_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import UInt32Value

from grpc_operator.gateway.envoy import header_matchers, resource_names

_NO_RUNTIME_KEY = "grpc_operator.unused"
"""Envoy requires a key that could override the value; nothing sets this one."""

_CODES = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    405: 12,
    408: 4,
    409: 10,
    413: 8,
    415: 3,
    429: 8,
    431: 8,
    499: 1,
    500: 13,
    501: 12,
    502: 14,
    503: 14,
    504: 4,
}
"""gRPC status code by HTTP status (``google/rpc/code.proto``, read backwards)."""

_NOT_FOUND = 5
_DEADLINE_EXCEEDED = "4"
_UNIMPLEMENTED = "12"
_TRAILERS = b"\x80"
"""First byte of the frame of trailers."""

_OK = 200
_TIMEOUTS = (408, 504)
_NO_ROUTE = "nothing is served under this host and path"

_OTHER = {500: 13, 400: 9}
"""The same for any status from this one on."""


def build() -> hcm.LocalReplyConfig:
    """Returns the replies. The first mapper whose filter matches counts."""
    exact = [_json(_status("EQ", http), code) for http, code in _CODES.items()]
    other = [_json(_status("GE", http), code) for http, code in _OTHER.items()]
    return hcm.LocalReplyConfig(
        mappers=[
            _json(_no_route(), _NOT_FOUND, _NO_ROUTE),
            _web_no_route("application/grpc-web-text", b64encode),
            _web_no_route("application/grpc-web", bytes),
            _text(_no_route(), _NO_ROUTE),
            *(_web_deadline(_status("EQ", http)) for http in _TIMEOUTS),
            *exact,
            *other,
        ]
    )


def _json(
    when: accesslog_pb2.AccessLogFilter, code: int, message: str = "%LOCAL_REPLY_BODY%"
) -> hcm.ResponseMapper:
    body = Struct()
    body.update({"code": code, "message": message, "details": []})
    return hcm.ResponseMapper(
        filter=_both(when, _rest()),
        body_format_override=substitution_format_string_pb2.SubstitutionFormatString(
            json_format=body
        ),
    )


def _text(when: accesslog_pb2.AccessLogFilter, message: str) -> hcm.ResponseMapper:
    """Returns a message for gRPC; gRPC-Web has a status only if there is a message."""
    return hcm.ResponseMapper(filter=when, body=base_pb2.DataSource(inline_string=message))


def _web_no_route(content_type: str, encoded: Callable[[bytes], bytes]) -> hcm.ResponseMapper:
    """Returns UNIMPLEMENTED for gRPC-Web: a body of trailers (grpc/grpc, PROTOCOL-WEB.md).

    Args:
        content_type: Beginning of the content types this is for.
        encoded: What they do with a body.
    """
    trailers = f"grpc-status:{_UNIMPLEMENTED}\r\ngrpc-message:{_NO_ROUTE}\r\n".encode()
    body = encoded(_TRAILERS + len(trailers).to_bytes(4, "big") + trailers)
    return hcm.ResponseMapper(
        filter=_both(_no_route(), _header(header_matchers.content_type(content_type))),
        status_code=UInt32Value(value=_OK),
        body=base_pb2.DataSource(inline_bytes=body),
        body_format_override=substitution_format_string_pb2.SubstitutionFormatString(
            text_format_source=base_pb2.DataSource(inline_string="%LOCAL_REPLY_BODY%"),
            content_type=f"{content_type}+proto",
        ),
    )


def _web_deadline(when: accesslog_pb2.AccessLogFilter) -> hcm.ResponseMapper:
    """Returns DEADLINE_EXCEEDED for gRPC-Web: in the headers, with no body."""
    given = {"grpc-status": _DEADLINE_EXCEEDED, "grpc-message": "downstream duration timeout"}
    return hcm.ResponseMapper(
        filter=_both(when, _header(header_matchers.present("x-grpc-web"))),
        status_code=UInt32Value(value=_OK),
        body=base_pb2.DataSource(inline_string=""),
        headers_to_add=[
            base_pb2.HeaderValueOption(
                header=base_pb2.HeaderValue(key=name, value=value),
                append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
            )
            for name, value in given.items()
        ],
    )


def _no_route() -> accesslog_pb2.AccessLogFilter:
    return accesslog_pb2.AccessLogFilter(
        response_flag_filter=accesslog_pb2.ResponseFlagFilter(flags=["NR"])
    )


def _both(
    one: accesslog_pb2.AccessLogFilter, other: accesslog_pb2.AccessLogFilter
) -> accesslog_pb2.AccessLogFilter:
    both = accesslog_pb2.AndFilter(filters=[one, other])
    return accesslog_pb2.AccessLogFilter(and_filter=both)


def _status(op: str, value: int) -> accesslog_pb2.AccessLogFilter:
    comparison = accesslog_pb2.ComparisonFilter(
        op=accesslog_pb2.ComparisonFilter.Op.Value(op),
        value=base_pb2.RuntimeUInt32(default_value=value, runtime_key=_NO_RUNTIME_KEY),
    )
    return accesslog_pb2.AccessLogFilter(
        status_code_filter=accesslog_pb2.StatusCodeFilter(comparison=comparison)
    )


def _rest() -> accesslog_pb2.AccessLogFilter:
    """Returns what matches REST: other content than gRPC, or gRPC made of it by the transcoder."""
    transcoded = header_matchers.present(resource_names.ORIGINAL[0])
    either = [_header(header_matchers.not_grpc()), _header(transcoded)]
    return accesslog_pb2.AccessLogFilter(or_filter=accesslog_pb2.OrFilter(filters=either))


def _header(matcher: route.HeaderMatcher) -> accesslog_pb2.AccessLogFilter:
    header = accesslog_pb2.HeaderFilter(header=matcher)
    return accesslog_pb2.AccessLogFilter(header_filter=header)
