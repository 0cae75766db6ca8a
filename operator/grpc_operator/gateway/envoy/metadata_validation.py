"""Where requests end whose metadata a server could not parse (docs/adr/0022, docs/adr/0056).

All clients share the connections to a server, and gRPC's core keeps what it could not parse with
the name of the header, for the connection: whoever sends that header next gets the error, too. The
module says so of a request in a header, and these routes refuse it.
"""

from collections.abc import Sequence

from envoy.config.core.v3 import base_pb2, substitution_format_string_pb2
from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway.envoy import header_matchers, resource_names

_REFUSALS = (("unsupported ", 501), ("malformed ", 400))
"""First words of the header, and the HTTP status. Unlike other malformed metadata, an unknown
compression or HTTP method is UNIMPLEMENTED (grpc/grpc, compression.md)."""

_TEXT = f"%REQ({resource_names.MALFORMED_HEADER})%"


def refused(prefix: str, conditions: Sequence[route.HeaderMatcher] = ()) -> list[route.Route]:
    """Returns the routes that refuse requests; they come before those that serve them.

    Args:
        prefix: Of the paths.
        conditions: What else is true of the requests.
    """
    return [_refused(prefix, conditions, word, status) for word, status in _REFUSALS]


def _refused(
    prefix: str, conditions: Sequence[route.HeaderMatcher], word: str, status: int
) -> route.Route:
    refusal = header_matchers.starts_with(resource_names.MALFORMED_HEADER, word)
    text = base_pb2.DataSource(inline_string=_TEXT)
    return route.Route(
        match=route.RouteMatch(prefix=prefix, headers=[refusal, *conditions]),
        direct_response=route.DirectResponseAction(
            status=status,
            body_format=substitution_format_string_pb2.SubstitutionFormatString(
                text_format_source=text
            ),
        ),
    )
