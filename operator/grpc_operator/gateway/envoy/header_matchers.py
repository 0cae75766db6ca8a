"""Conditions on request headers that several routes share."""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import string_pb2


def not_grpc() -> route.HeaderMatcher:
    """Matches requests that are neither gRPC nor gRPC-Web (grpc/grpc, PROTOCOL-HTTP2.md)."""
    return _is_not(content_type("application/grpc"))


def grpc() -> list[route.HeaderMatcher]:
    """Matches gRPC, but not gRPC-Web.

    Without a regular expression, which costs a call several microseconds.
    """
    return [content_type("application/grpc"), _is_not(grpc_web())]


def grpc_web() -> route.HeaderMatcher:
    """Matches gRPC-Web, binary and text (grpc/grpc, PROTOCOL-WEB.md)."""
    return content_type("application/grpc-web")


def content_type(prefix: str) -> route.HeaderMatcher:
    """Matches content types by their beginning, in any case (RFC 9110, 8.3.1)."""
    value = string_pb2.StringMatcher(prefix=prefix, ignore_case=True)
    return route.HeaderMatcher(name="content-type", string_match=value)


def starts_with(name: str, prefix: str) -> route.HeaderMatcher:
    """Matches the beginning of a header's value."""
    return route.HeaderMatcher(name=name, string_match=string_pb2.StringMatcher(prefix=prefix))


def method(verb: str) -> route.HeaderMatcher:
    """Matches an HTTP method."""
    return exactly(":method", verb)


def exactly(name: str, value: str) -> route.HeaderMatcher:
    """Matches one value of a header."""
    return route.HeaderMatcher(name=name, string_match=string_pb2.StringMatcher(exact=value))


def preflight() -> list[route.HeaderMatcher]:
    """Matches CORS preflight requests (Fetch standard)."""
    return [method("OPTIONS"), present("origin"), present("access-control-request-method")]


def escaped() -> route.HeaderMatcher:
    """Matches paths with an escaped character."""
    value = string_pb2.StringMatcher(contains="%")
    return route.HeaderMatcher(name=":path", string_match=value)


def present(name: str) -> route.HeaderMatcher:
    """Matches any value of a header."""
    return route.HeaderMatcher(name=name, present_match=True)


def absent(name: str) -> route.HeaderMatcher:
    """Matches requests without a header."""
    return route.HeaderMatcher(name=name, present_match=False)


def _is_not(matcher: route.HeaderMatcher) -> route.HeaderMatcher:
    """Returns what matches everything else, and requests without the header."""
    inverted = route.HeaderMatcher(invert_match=True, treat_missing_header_as_empty=True)
    inverted.MergeFrom(matcher)
    return inverted
