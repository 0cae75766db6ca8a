"""Routes of REST requests when they arrive in the scope of their service, before the transcoder.

A unary message is held until it is complete, so its size is checked first (``filters.whole_body``).
A stream of requests has no end to wait for, and a ``google.api.HttpBody`` may be of any type: so
the paths of such methods have routes of their own. All other bodies must be JSON, or the module
ends the request with 415.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2
from google.protobuf.duration_pb2 import Duration

from grpc_operator.gateway import patterns
from grpc_operator.gateway.envoy import (
    filters,
    header_matchers,
    proxy_module,
    resource_names,
)
from grpc_operator.gateway.envoy.protobuf import duration
from grpc_operator.gateway.ir import Api
from grpc_operator.gateway.method_policy import UNARY_TIMEOUT
from grpc_operator.gateway.patterns import Pattern

_TRAILING_SLASHES = "/*"
"""The transcoder ignores them."""

_STREAMS = ("ClientStreaming", "Bidirectional")


@dataclass(frozen=True)
class _Body:
    """What a path takes."""

    is_stream: bool
    is_raw: bool

    @property
    def is_usual(self) -> bool:
        """Whether it is one message of JSON."""
        return not (self.is_stream or self.is_raw)


def build(cluster: str, apis: Sequence[Api], max_bytes: int) -> list[route.Route]:
    """Returns the routes: unusual paths, then all others.

    Before each unusual path are those of other methods that match some of the same requests and
    are more specific: the transcoder would choose them.

    Args:
        cluster: The cluster of the service, or of its revision.
        apis: What it serves by REST.
        max_bytes: Size of its largest message.
    """
    bodies = {
        Pattern.of(binding): _Body(method.kind in _STREAMS, binding.raw_body)
        for api in apis
        for method in api.methods
        for binding in method.bindings
    }
    unusual = [pattern for pattern, body in bodies.items() if not body.is_usual]
    ordered = [
        pattern
        for pattern in sorted(bodies, key=lambda each: (each.rank, each))
        if pattern in unusual or any(patterns.precedes(pattern, other) for other in unusual)
    ]
    action = route.RouteAction(cluster=cluster)
    action.max_stream_duration.max_stream_duration.CopyFrom(_time_of_body(apis))
    return [
        *(_accepted(action, _exactly(each), bodies[each], max_bytes) for each in ordered),
        _accepted(action, _everything(), _Body(is_stream=False, is_raw=False), max_bytes),
    ]


def _accepted(
    action: route.RouteAction, match: route.RouteMatch, body: _Body, max_bytes: int
) -> route.Route:
    """Returns the route of some requests; the transcoder never leaves one on it.

    It has a cluster because the CORS filter acts only on routes to one.
    """
    made = route.Route(match=match, route=action)
    if body.is_stream:
        made.route.ClearField("max_stream_duration")
        made.typed_per_filter_config[resource_names.BUFFER].CopyFrom(filters.any_body())
    if not body.is_usual:
        config = (
            proxy_module.on_route("any_body")
            if body.is_raw
            else proxy_module.on_route("largest_message", str(max_bytes))
        )
        made.typed_per_filter_config[resource_names.REST_REQUESTS].CopyFrom(config)
    return made


def _time_of_body(apis: Sequence[Api]) -> Duration:
    """Returns how long a body may take to arrive: as long as the slowest unary call."""
    unary = [method for api in apis for method in api.methods if method.kind == "Unary"]
    timeouts = [method.policy.timeout for method in unary if method.bindings]
    given = [timeout for timeout in timeouts if timeout is not None]
    return duration(max(given, default=UNARY_TIMEOUT) if len(given) == len(timeouts) else None)


def _exactly(pattern: Pattern) -> route.RouteMatch:
    verb = [header_matchers.method(pattern.verb)] if pattern.verb != patterns.ANY_VERB else []
    return route.RouteMatch(
        safe_regex=regex_pb2.RegexMatcher(regex=pattern.regex + _TRAILING_SLASHES),
        headers=[*verb, header_matchers.not_grpc()],
    )


def _everything() -> route.RouteMatch:
    return route.RouteMatch(prefix="/", headers=[header_matchers.not_grpc()])
