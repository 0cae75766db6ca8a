"""The REST scope of a service: its descriptor, and a route for each method that REST reaches.

A request comes here after a REST route has named the service. The transcoder turns it into a gRPC
request for ``/package.Service/Method`` and makes Envoy select a route again, so that the policy of
each method applies to REST as to gRPC. What matches no method ends here with 404.
"""

from collections.abc import Iterable, Sequence

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway import patterns
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.envoy import (
    allowed_verbs,
    call_metrics,
    compressed_responses,
    cors,
    destinations,
    filters,
    header_matchers,
    method_policy,
    proxy_module,
    resource_names,
    rest_arrivals,
    route_matchers,
    route_tables,
    transcoder,
)
from grpc_operator.gateway.envoy.destinations import Destination
from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.infrastructure import REVISION_HEADER
from grpc_operator.gateway.ir import Attachment, Method, Rest
from grpc_operator.gateway.patterns import Pattern

_NOT_FOUND = 404
_OF_GRPC = ("grpc-accept-encoding", "grpc-encoding", "grpc-previous-rpc-attempts")
"""What only gRPC clients say: the transcoder, for one, reads no compressed messages."""


def of_service(served: Served) -> dict[str, route_pb2.RouteConfiguration]:
    """Returns the route tables of the REST scopes of a service, by name.

    Each of its revisions that calls can reach has one, with its own descriptor.
    """
    known = [pattern for api in served.rest for pattern in api.patterns]
    if not served.attachment.targets:
        own = [served]
    else:
        reachable = (each for each in served.attachment.targets if each.is_reachable)
        own = [served.of_target(each) for each in reachable]
    made = {}
    for each in own:
        if each.attachment.rest is not None and each.rest:
            table = _build(each, each.attachment.rest, known, served.attachment)
            made[table.name] = table
    return made


def _build(
    served: Served, rest: Rest, known: Sequence[Pattern], service: Attachment
) -> route_pb2.RouteConfiguration:
    """Returns the route table of a scope.

    Args:
        served: What the service, or its revision, serves; some of it by REST.
        rest: Settings of the transcoder.
        known: Paths of all its revisions.
        service: The service with all its revisions.
    """
    attachment = served.attachment
    everywhere = route.VirtualHost(
        name="*",
        domains=["*"],
    )
    routes = route_matchers.joined([*_head(known), *_routes(served, rest, service)])
    everywhere.MergeFromString(route_matchers.in_order(routes))
    transcode = pack(transcoder.build(rest, served.rest))
    everywhere.typed_per_filter_config[resource_names.TRANSCODER].CopyFrom(transcode)
    whole_body = filters.whole_body(rest.max_bytes)
    everywhere.typed_per_filter_config[resource_names.BUFFER].CopyFrom(whole_body)
    if attachment.cors is not None:
        cors_policy = pack(cors.policy(attachment.cors))
        everywhere.typed_per_filter_config[resource_names.CORS].CopyFrom(cors_policy)
    paths = proxy_module.on_route("paths", allowed_verbs.paths(dict.fromkeys(known)))
    everywhere.typed_per_filter_config[resource_names.RESPONSE].CopyFrom(paths)
    name = resource_names.table(
        resource_names.REST_SCOPE, resource_names.rest_scope_key(attachment.clusters[0])
    )
    table = route_tables.frame(name, [everywhere])
    table.request_headers_to_remove.extend([*resource_names.ORIGINAL, *_OF_GRPC])
    if attachment.targets:
        table.request_headers_to_remove.append(REVISION_HEADER)
    return table


def _routes(served: Served, rest: Rest, service: Attachment) -> list[route.Route]:
    (cluster, *_), to = (
        served.attachment.clusters,
        Destination("", served.attachment.targets),
    )
    methods = []
    for api in served.rest:
        for method in api.methods:
            if method.bindings:
                made = _method(cluster, f"/{api.name}/{method.name}", method)
                call_metrics.count(made, api.name, method.name, timed=service.is_split)
                destinations.mirror(made.route, service, to, (api.name, method))
                methods.append(made)
    return [*methods, *rest_arrivals.build(cluster, served.rest, rest.max_bytes), _grpc()]


def _head(known: Iterable[Pattern]) -> list[route.Route]:
    """Returns where HEAD ends if a path has every verb: before the transcoder.

    Envoy 1.40 would write a body after the response, which the client then takes for the beginning
    of its next response.
    """
    if not any(pattern.verb == patterns.ANY_VERB for pattern in known):
        return []
    match = route.RouteMatch(prefix="/", headers=[header_matchers.method("HEAD")])
    made = route.Route(match=match, direct_response=route.DirectResponseAction(status=_NOT_FOUND))
    made.typed_per_filter_config[resource_names.TRANSCODER].CopyFrom(pack(transcoder.empty()))
    made.typed_per_filter_config[resource_names.BUFFER].CopyFrom(filters.any_body())
    return [made]


def _method(cluster: str, path: str, method: Method) -> route.Route:
    made = route.Route(
        match=route.RouteMatch(path=path), route=method_policy.action(cluster, method.policy)
    )
    if method.kind in compressed_responses.STREAMED:
        compressed_responses.refuse_streams(made)
    return made


def _grpc() -> route.Route:
    """Returns where gRPC requests end that were sent to a REST path."""
    return route.Route(
        match=route.RouteMatch(prefix="/"),
        direct_response=route.DirectResponseAction(status=_NOT_FOUND),
    )
