"""Conditions on request headers that several routes share."""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import string_pb2

from grpc_operator.gateway.xds.messages import regex

_GRPC = string_pb2.StringMatcher(prefix="application/grpc")
_ONLY_GRPC = regex("application/grpc([+;].*)?")
_ONLY_GRPC_WEB = string_pb2.StringMatcher(prefix="application/grpc-web")


def not_grpc() -> route.HeaderMatcher:
    """Matches requests that are neither gRPC nor gRPC-Web (grpc/grpc, PROTOCOL-HTTP2.md)."""
    return _content_type_is_not(_GRPC)


def not_offered(*, grpc: bool, grpc_web: bool) -> route.HeaderMatcher:
    """Matches requests that are none of the protocols offered, of which there is at least one."""
    if grpc and grpc_web:
        return not_grpc()
    return _content_type_is_not(_ONLY_GRPC if grpc else _ONLY_GRPC_WEB)


def method(verb: str) -> route.HeaderMatcher:
    """Matches an HTTP method."""
    return exactly(":method", verb)


def exactly(name: str, value: str) -> route.HeaderMatcher:
    """Matches one value of a header."""
    return route.HeaderMatcher(name=name, string_match=string_pb2.StringMatcher(exact=value))


def preflight() -> list[route.HeaderMatcher]:
    """Matches CORS preflight requests (Fetch standard)."""
    return [method("OPTIONS"), present("origin"), present("access-control-request-method")]


def present(name: str) -> route.HeaderMatcher:
    """Matches any value of a header."""
    return route.HeaderMatcher(name=name, present_match=True)


def _content_type_is_not(matcher: string_pb2.StringMatcher) -> route.HeaderMatcher:
    return route.HeaderMatcher(
        name="content-type",
        string_match=matcher,
        invert_match=True,
        treat_missing_header_as_empty=True,
    )
