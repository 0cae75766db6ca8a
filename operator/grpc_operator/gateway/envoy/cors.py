"""The policy of Envoy's CORS filter: which web pages may call."""

from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway import patterns
from grpc_operator.gateway.envoy.protobuf import regex
from grpc_operator.gateway.ir import Cors

METHODS = "DELETE, GET, PATCH, POST, PUT"

REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "grpc-timeout",
    "x-grpc-web",
    "x-user-agent",
)
"""What gRPC-Web clients send (grpc/grpc, PROTOCOL-WEB.md), and what REST needs."""

RESPONSE_HEADERS = ("grpc-message", "grpc-status", "grpc-status-details-bin")
"""Where a failed gRPC-Web call has its status when it has no body."""


def policy(cors: Cors) -> cors_pb2.CorsPolicy:
    """Returns the filter's policy. Preflight requests of other origins end at the gateway too."""
    return cors_pb2.CorsPolicy(
        allow_origin_string_match=[_origin(origin) for origin in cors.allow_origins],
        allow_methods=METHODS,
        allow_headers=", ".join(_with(REQUEST_HEADERS, cors.allow_headers)),
        expose_headers=", ".join(_with(RESPONSE_HEADERS, cors.expose_headers)),
        max_age=str(int(cors.max_age)),
        allow_credentials=BoolValue(value=cors.allow_credentials),
        forward_not_matching_preflights=BoolValue(value=False),
    )


def _with(ours: tuple[str, ...], theirs: tuple[str, ...]) -> list[str]:
    return sorted({*ours, *(name.lower() for name in theirs)})


def _origin(origin: str) -> string_pb2.StringMatcher:
    if origin == "*":
        return regex(".*")
    if "*" not in origin:
        return string_pb2.StringMatcher(exact=origin)
    scheme, _, host = origin.partition("*")
    return regex(f"{patterns.escaped(scheme)}[-a-z0-9.]+{patterns.escaped(host)}")
