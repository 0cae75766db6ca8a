"""The access log: one JSON object a line, always with the same keys.

Envoy writes the values as JSON itself: nothing a client sends can add a key or a line
(compare CVE-2025-25294, where the log was text).
"""

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import substitution_format_string_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.access_loggers.stream.v3 import stream_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf.struct_pb2 import Struct
from google.rpc import code_pb2

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.formats import first_of
from grpc_operator.gateway.envoy.protobuf import pack

_OF_REST = resource_names.REST_REQUEST
_PATH = "NQ:PATH"

STATUS = "grpc_status"
"""Key of the dynamic metadata ``RESPONSE``: what a server has sent, as the module notes it."""

NAMES = {
    str(value.number): "".join(word.capitalize() for word in value.name.split("_"))
    for value in code_pb2.Code.DESCRIPTOR.values
} | {"0": "OK", "1": "Canceled"}
"""Names of status codes by number, as Envoy writes them (``%GRPC_STATUS(CAMEL_STRING)%``)."""

_OF_GRPC_WEB = {
    "direct_response": "Unimplemented",
    "route_not_found": "Unimplemented",
}
"""Status of what ends before the filter of gRPC-Web: it is in the body then (``local_replies``)."""

_OF_MALFORMED = (
    f"request.headers['{resource_names.MALFORMED_HEADER}'].startsWith('malformed')"
    " ? 'InvalidArgument' : 'Unimplemented'"
)
"""The same for what ends because of its metadata (``metadata_validation``)."""

FIELDS = {
    "time": "%START_TIME%",
    "protocol": "%PROTOCOL%",
    "authority": "%REQ(:AUTHORITY)%",
    "method": first_of(("DYNAMIC_METADATA", f"{_OF_REST}:method"), ("REQ", ":METHOD")),
    "path": first_of(("DYNAMIC_METADATA", f"{_OF_REST}:path"), ("PATH", _PATH)),
    "grpc_method": f"%PATH({_PATH})%",
    "grpc_status": first_of(
        ("DYNAMIC_METADATA", f"{resource_names.RESPONSE}:{STATUS}"),
        ("GRPC_STATUS", "CAMEL_STRING"),
        ("CEL", f"{NAMES}[response.headers['grpc-status']]"),
        ("CEL", _OF_MALFORMED),
        ("CEL", f"{_OF_GRPC_WEB}[response.code_details]"),
    ),
    "response_code": "%RESPONSE_CODE%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "response_flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_host": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "downstream_address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
"""Every key and where its value comes from. Query strings are left out: they may hold secrets.

The transcoder replaces method, path and status of calls by REST. Envoy itself derives no status
for what is not gRPC; then that of the gateway's response counts."""


def build(probe_host: str) -> list[accesslog_pb2.AccessLog]:
    """Returns the log on standard output, without the operator's own probes.

    Args:
        probe_host: Host name of the probes; it must not be in the log.
    """
    lines = Struct()
    lines.update(FIELDS)
    stdout = stream_pb2.StdoutAccessLog(
        log_format=substitution_format_string_pb2.SubstitutionFormatString(json_format=lines)
    )
    return [
        accesslog_pb2.AccessLog(
            name="envoy.access_loggers.stdout",
            filter=_no_probe(probe_host),
            typed_config=pack(stdout),
        )
    ]


def _no_probe(host: str) -> accesslog_pb2.AccessLogFilter:
    other = route.HeaderMatcher(
        name=":authority",
        string_match=string_pb2.StringMatcher(exact=host),
        invert_match=True,
        treat_missing_header_as_empty=True,
    )
    return accesslog_pb2.AccessLogFilter(header_filter=accesslog_pb2.HeaderFilter(header=other))
