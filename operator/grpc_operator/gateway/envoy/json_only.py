"""Routes of REST requests whose body is not plain JSON: they end here with 415 (docs/adr/0022).

The transcoder reads any body as JSON. A page of another site can send one without asking first as
long as its type is one of a form (Fetch standard, "CORS-safelisted request-header").
"""

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import string_pb2

from grpc_operator.gateway.envoy import filters, header_matchers, resource_names, transcoder
from grpc_operator.gateway.envoy.protobuf import pack, regex

_UNSUPPORTED_MEDIA_TYPE = 415
_JSON = "(?i)application/([-a-z0-9.+_]+[+])?json[ \t]*(;.*)?"
"""RE2 of ``application/json`` and ``application/...+json`` (RFC 6839) with any parameters."""

_SENDS_A_BODY = "POST|PUT|PATCH"
_WRONG_TYPE = "a body must be JSON: content-type application/json"


def refused(requests: route.RouteMatch) -> list[route.Route]:
    """Returns the routes of those requests that have a body which is compressed or not JSON.

    Without ``content-length``, nothing says yet whether a body follows; then a verb that usually
    has one needs a right type, or none, which no page can send.

    Args:
        requests: All requests whose body must be JSON.
    """
    identity = string_pb2.StringMatcher(exact="identity", ignore_case=True)
    encoded = route.HeaderMatcher(name="content-encoding", string_match=identity, invert_match=True)
    other_type, other_or_no_type = _not_json(), _not_json()
    other_or_no_type.treat_missing_header_as_empty = True
    has_body = header_matchers.exactly("content-length", "0")
    has_body.invert_match = True
    no_length = header_matchers.present("content-length")
    no_length.invert_match = True
    verb = route.HeaderMatcher(name=":method", string_match=regex(_SENDS_A_BODY))
    return [
        _refused(requests, [encoded], "a body must not be compressed: no content-encoding"),
        _refused(requests, [has_body, other_or_no_type], _WRONG_TYPE),
        _refused(requests, [no_length, other_type, verb], _WRONG_TYPE),
    ]


def _not_json() -> route.HeaderMatcher:
    """Matches a content type that is present and not JSON."""
    return route.HeaderMatcher(name="content-type", string_match=regex(_JSON), invert_match=True)


def _refused(
    requests: route.RouteMatch, conditions: list[route.HeaderMatcher], text: str
) -> route.Route:
    made = route.Route(
        match=requests,
        direct_response=route.DirectResponseAction(
            status=_UNSUPPORTED_MEDIA_TYPE, body=base_pb2.DataSource(inline_string=text)
        ),
    )
    made.match.headers.extend(conditions)
    # The transcoder would make gRPC of it, and Envoy would then select another route.
    made.typed_per_filter_config[resource_names.TRANSCODER].CopyFrom(pack(transcoder.empty()))
    made.typed_per_filter_config[resource_names.BUFFER].CopyFrom(filters.any_body())
    return made
