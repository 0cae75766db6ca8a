"""The REST scope of a service: its descriptor, and a route for each method that REST reaches.

A request comes here after a REST route has named the service. The transcoder turns it into a gRPC
request for ``/package.Service/Method`` and makes Envoy select a route again, so that the policy of
each method applies to REST as to gRPC. What matches no method ends here with 404.
"""

from collections.abc import Iterable

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.envoy import (
    cors,
    header_matchers,
    method_policy,
    resource_names,
    route_tables,
    transcoder,
)
from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.ir import Api, Attachment, Rest

_NOT_FOUND = 404


def build(served: Served, rest: Rest) -> route_pb2.RouteConfiguration:
    """Returns the route table of the scope.

    Args:
        served: What the service serves; some of it by REST.
        rest: Settings of the transcoder.
    """
    attachment = served.attachment
    everywhere = route.VirtualHost(name="*", domains=["*"], routes=_routes(attachment, served.rest))
    transcode = pack(transcoder.build(rest, [api.name for api in served.rest]))
    everywhere.typed_per_filter_config[resource_names.TRANSCODER].CopyFrom(transcode)
    if attachment.cors is not None:
        cors_policy = pack(cors.policy(attachment.cors))
        everywhere.typed_per_filter_config[resource_names.CORS].CopyFrom(cors_policy)
    name = resource_names.table(
        resource_names.REST_SCOPE, resource_names.rest_scope_key(attachment.key)
    )
    return route_tables.frame(name, [everywhere])


def _routes(attachment: Attachment, apis: Iterable[Api]) -> list[route.Route]:
    methods = [
        route.Route(
            match=route.RouteMatch(path=f"/{api.name}/{method.name}"),
            route=method_policy.action(attachment.cluster, method.policy),
        )
        for api in apis
        for method in api.methods
        if method.bindings
    ]
    return [*methods, _rest(attachment), _grpc()]


def _rest(attachment: Attachment) -> route.Route:
    """Returns the route of REST requests when they arrive; the transcoder never leaves one on it.

    It has a cluster because the CORS filter acts only on routes to one.
    """
    return route.Route(
        match=route.RouteMatch(prefix="/", headers=[header_matchers.not_grpc()]),
        route=route.RouteAction(cluster=attachment.cluster),
    )


def _grpc() -> route.Route:
    """Returns where gRPC requests end that were sent to a REST path."""
    return route.Route(
        match=route.RouteMatch(prefix="/"),
        direct_response=route.DirectResponseAction(status=_NOT_FOUND),
    )
