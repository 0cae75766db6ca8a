"""Envoy's local replies: to REST a ``google.rpc.Status`` as JSON, like those of the services.

gRPC calls keep Envoy's own mapping (grpc/grpc, http-grpc-status-mapping.md). So do gRPC-Web calls
on a route; but deadlines, which Envoy would report as UNAVAILABLE there, malformed base64, and what
ends before the filter of gRPC-Web or where no route enables it, are handled here.
"""

from collections.abc import Iterator

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, substitution_format_string_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import UInt32Value

from grpc_operator.gateway.envoy import (
    compressed_responses,
    header_matchers,
    metadata_filters,
    web_trailers,
)
from grpc_operator.gateway.envoy import local_reply_texts as texts
from grpc_operator.gateway.envoy.protobuf import overwrite

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
    415: 3,
    429: 8,
    431: 8,
    499: 1,
    500: 13,
    501: 12,
    502: 13,
    503: 14,
    504: 4,
}
"""gRPC status code by HTTP status (``google/rpc/code.proto``, read backwards)."""

_NOT_FOUND = 5
_BAD_REQUEST = 400
_NOT_IMPLEMENTED = 501
_INVALID_ARGUMENT = "3"
_DEADLINE_EXCEEDED = "4"
_UNIMPLEMENTED = "12"
_OK = 200
_METHOD_NOT_ALLOWED = 405
_INTERNAL_CODE = 13
_TOO_LARGE = 413
_UNREADABLE = 502
"""The server answered, but the transcoder cannot write it as JSON. The call has run, so nothing may
make a client send it again, as UNAVAILABLE would."""
_INTERNAL = 500
_TIMEOUTS = (408, 504)
_UNAVAILABLE = 14
_RESOURCE_EXHAUSTED = 8
_SERVICE_UNAVAILABLE = 503
_INSUFFICIENT_STORAGE = 507
"""How Envoy ends a call whose body grows beyond its buffer while it waits to send it again."""

_UNSUPPORTED_MEDIA_TYPE = 415
_MALFORMED = "malformed grpc-timeout or other metadata"
_UNSUPPORTED = "unsupported grpc-encoding, or another HTTP method than POST"
_NOT_BASE64 = "the body is not base64 in multiples of 4 bytes"
_TIMED_OUT = "downstream duration timeout"

_OTHER = {500: 13, 400: 9}
"""The same for any status from this one on."""


def build() -> hcm.LocalReplyConfig:
    """Returns the replies. The first mapper whose filter matches counts."""
    exact = [_json(_status("EQ", http), code) for http, code in _CODES.items()]
    exact[[*_CODES].index(_UNREADABLE)].status_code.value = _INTERNAL
    other = [_json(_status("GE", http), code) for http, code in _OTHER.items()]
    return hcm.LocalReplyConfig(
        mappers=[
            _json(_no_route(), _NOT_FOUND, texts.of_rest(texts.NOTHING)),
            _json(_status("EQ", 404), _NOT_FOUND, texts.of_rest(texts.NOTHING)),
            _not_post(),
            *_too_large(),
            *_web(_no_route(), _UNIMPLEMENTED, texts.NOTHING),
            *_web(_status("EQ", _BAD_REQUEST), _INVALID_ARGUMENT, _MALFORMED),
            *_web(_status("EQ", _NOT_IMPLEMENTED), _UNIMPLEMENTED, _UNSUPPORTED),
            _text(_no_route(), texts.NOTHING),
            *_of_server("UH", texts.NOT_READY),
            *_of_server("UF", texts.UNREACHABLE),
            *(
                mapper
                for http in _TIMEOUTS
                for mapper in (
                    *_web(_status("EQ", http), _DEADLINE_EXCEEDED, _TIMED_OUT),
                    _web_headers(_status("EQ", http), _DEADLINE_EXCEEDED, _TIMED_OUT),
                )
            ),
            _web_headers(_status("EQ", _BAD_REQUEST), _INVALID_ARGUMENT, _NOT_BASE64),
            *_not_sent_again(),
            *_compressed_stream(),
            *exact,
            *other,
            _grpc(_BAD_REQUEST, _INVALID_ARGUMENT),
            _grpc(_NOT_IMPLEMENTED, _UNIMPLEMENTED),
        ]
    )


def _json(
    when: accesslog_pb2.AccessLogFilter, code: int, message: str = texts.of_rest()
) -> hcm.ResponseMapper:
    body = Struct()
    body.update({"code": code, "message": message, "details": []})
    return hcm.ResponseMapper(
        filter=_both(when, _rest()),
        # For the access log, which would derive it from the HTTP status.
        headers_to_add=[overwrite("grpc-status", str(code))],
        body_format_override=substitution_format_string_pb2.SubstitutionFormatString(
            json_format=body
        ),
    )


def _not_post() -> hcm.ResponseMapper:
    """Returns 405 for other verbs than POST under the path of a gRPC service.

    It is the only verb of gRPC (grpc/grpc, PROTOCOL-HTTP2.md).
    """
    verb = header_matchers.method("POST")
    verb.invert_match = True
    unsupported = _both(
        _status("EQ", _UNSUPPORTED_MEDIA_TYPE), metadata_filters.rest(is_rest=False)
    )
    made = _json(_both(unsupported, _header(verb)), _CODES[_METHOD_NOT_ALLOWED], texts.of_rest())
    made.status_code.value = _METHOD_NOT_ALLOWED
    made.headers_to_add.append(overwrite("allow", "POST"))
    return made


def _too_large() -> Iterator[hcm.ResponseMapper]:
    """Yields 413 for a stream one of whose messages is too large, and for any other call."""
    for when in (metadata_filters.message_too_large(), _status("EQ", _TOO_LARGE)):
        made = _json(when, _RESOURCE_EXHAUSTED, texts.of_rest(texts.TOO_LARGE))
        made.status_code.value = _TOO_LARGE
        yield made


def _of_server(flag: str, text: str) -> tuple[hcm.ResponseMapper, hcm.ResponseMapper]:
    """Returns UNAVAILABLE for REST and for gRPC; that of gRPC-Web is made from the latter."""
    when = _flag(flag)
    return _json(when, _UNAVAILABLE, texts.of_rest(text)), _text(when, text)


def _text(when: accesslog_pb2.AccessLogFilter, text: str) -> hcm.ResponseMapper:
    """Returns a message for gRPC; gRPC-Web has a status only if there is a message."""
    source = base_pb2.DataSource(inline_string=texts.of_grpc(text))
    return hcm.ResponseMapper(
        filter=when,
        body_format_override=substitution_format_string_pb2.SubstitutionFormatString(
            text_format_source=source
        ),
    )


def _web(
    when: accesslog_pb2.AccessLogFilter, code: str, message: str
) -> Iterator[hcm.ResponseMapper]:
    """Yields a status for gRPC-Web, one mapper for each content type.

    Where no route enables the filter of gRPC-Web, nothing else makes one of the reply.
    """
    for content_type in (web_trailers.TEXT, web_trailers.BINARY):
        of_type = _both(when, _header(header_matchers.content_type(content_type)))
        yield _web_body(of_type, content_type, code, message)


def _web_body(
    when: accesslog_pb2.AccessLogFilter, content_type: str, code: str, message: str
) -> hcm.ResponseMapper:
    """Returns a status for gRPC-Web where no filter makes one of the reply: in the body."""
    body = web_trailers.body(content_type, code, message)
    return hcm.ResponseMapper(
        filter=when,
        status_code=UInt32Value(value=_OK),
        body=base_pb2.DataSource(inline_bytes=body),
        body_format_override=substitution_format_string_pb2.SubstitutionFormatString(
            text_format_source=base_pb2.DataSource(inline_string="%LOCAL_REPLY_BODY%"),
            content_type=f"{content_type}+proto",
        ),
    )


def _web_headers(
    when: accesslog_pb2.AccessLogFilter, code: str, message: str
) -> hcm.ResponseMapper:
    """Returns a status for gRPC-Web after Envoy's filter has made gRPC of it: in the headers.

    All of these calls have ``x-grpc-web`` (``grpc_web_requests``).
    """
    given = {"grpc-status": code, "grpc-message": message}
    web = _both(
        _header(header_matchers.present("x-grpc-web")), metadata_filters.rest(is_rest=False)
    )
    return hcm.ResponseMapper(
        filter=_both(when, web),
        status_code=UInt32Value(value=_OK),
        body=base_pb2.DataSource(inline_string=""),
        headers_to_add=[overwrite(name, value) for name, value in given.items()],
    )


def _not_sent_again() -> list[hcm.ResponseMapper]:
    """Returns UNAVAILABLE for a call that reached no server, and was too large to keep it."""
    when = _status("EQ", _INSUFFICIENT_STORAGE)
    made = [_json(when, _UNAVAILABLE), hcm.ResponseMapper(filter=when)]
    for each in made:
        each.status_code.value = _SERVICE_UNAVAILABLE
    return made


def _compressed_stream() -> Iterator[hcm.ResponseMapper]:
    """Yields INTERNAL for a stream that was refused by its headers, which no filter sees."""
    when = _status("EQ", compressed_responses.STATUS)
    rest = _json(when, _INTERNAL_CODE)
    rest.status_code.value = _INTERNAL
    yield rest
    text = _header(header_matchers.starts_with("accept", web_trailers.TEXT))
    for filtered, content_type in (
        (_both(when, text), web_trailers.TEXT),
        (when, web_trailers.BINARY),
    ):
        yield _web_body(filtered, content_type, str(_INTERNAL_CODE), compressed_responses.MESSAGE)


def _grpc(http: int, code: str) -> hcm.ResponseMapper:
    """Returns a status for gRPC where Envoy says INTERNAL or UNKNOWN: the call is at fault."""
    return hcm.ResponseMapper(
        filter=_status("EQ", http), headers_to_add=[overwrite("grpc-status", code)]
    )


def _no_route() -> accesslog_pb2.AccessLogFilter:
    return _flag("NR")


def _flag(flag: str) -> accesslog_pb2.AccessLogFilter:
    """Returns what matches a response flag (Envoy, "Access logging", %RESPONSE_FLAGS%)."""
    return accesslog_pb2.AccessLogFilter(
        response_flag_filter=accesslog_pb2.ResponseFlagFilter(flags=[flag])
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
    either = [_header(header_matchers.not_grpc()), metadata_filters.rest()]
    return accesslog_pb2.AccessLogFilter(or_filter=accesslog_pb2.OrFilter(filters=either))


def _header(matcher: route.HeaderMatcher) -> accesslog_pb2.AccessLogFilter:
    header = accesslog_pb2.HeaderFilter(header=matcher)
    return accesslog_pb2.AccessLogFilter(header_filter=header)
