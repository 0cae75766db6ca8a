"""Routes of one gRPC service: gRPC and gRPC-Web, one exact path for each method."""

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway.envoy import (
    cors,
    filters,
    header_matchers,
    method_policy,
    resource_names,
)
from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.ir import Api, Attachment

_UNSUPPORTED_MEDIA_TYPE = 415


def preflight(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns the route of preflight requests.

    No request follows it: the CORS filter responds to them all, but only on routes to a cluster.
    """
    if attachment.cors is None:
        return []
    made = route.Route(
        match=route.RouteMatch(prefix=_prefix(api), headers=header_matchers.preflight()),
        route=method_policy.action(attachment.cluster, api.fallback),
    )
    _configure(made, attachment)
    return [made]


def build(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns the routes: methods, then unknown methods; other content types are refused.

    gRPC and gRPC-Web have routes of their own, so that gRPC does not pay for the filter of the
    other. Unknown methods are passed on, because a server may be newer than the descriptor, but
    they are not counted one by one: a client could make up any number of them.
    """
    made = []
    if attachment.grpc:
        made += _calls(attachment, api, header_matchers.grpc())
    if attachment.grpc_web:
        web = _calls(attachment, api, [header_matchers.grpc_web()])
        for each in web:
            each.typed_per_filter_config[resource_names.GRPC_WEB].CopyFrom(filters.enabled())
        made += web
    refuse = route.Route(match=route.RouteMatch(prefix=_prefix(api)))
    refuse.direct_response.CopyFrom(_unsupported(attachment, api))
    made.append(refuse)
    for each in made:
        _configure(each, attachment)
    return made


def _calls(attachment: Attachment, api: Api, when: list[route.HeaderMatcher]) -> list[route.Route]:
    """Returns the routes of calls by one protocol."""
    made = [
        route.Route(
            match=route.RouteMatch(path=f"/{api.name}/{method.name}", headers=when),
            route=method_policy.action(attachment.cluster, method.policy),
        )
        for method in api.methods
    ]
    for each in made:
        each.typed_per_filter_config[resource_names.GRPC_STATS].CopyFrom(filters.enabled())
    fallback = route.Route(
        match=route.RouteMatch(prefix=_prefix(api), headers=when),
        route=method_policy.action(attachment.cluster, api.fallback),
    )
    fallback.typed_per_filter_config[resource_names.GRPC_STATS].CopyFrom(filters.disabled())
    return [*made, fallback]


def _configure(made: route.Route, attachment: Attachment) -> None:
    if attachment.cors is not None:
        made.typed_per_filter_config[resource_names.CORS].CopyFrom(
            pack(cors.policy(attachment.cors))
        )


def _prefix(api: Api) -> str:
    return f"/{api.name}/"


def _unsupported(attachment: Attachment, api: Api) -> route.DirectResponseAction:
    offered = {"application/grpc": attachment.grpc, "application/grpc-web": attachment.grpc_web}
    types = " or ".join(content_type for content_type, given in offered.items() if given)
    text = f"no such REST path; {api.name} is served here as {types}"
    body = base_pb2.DataSource(inline_string=text)
    return route.DirectResponseAction(status=_UNSUPPORTED_MEDIA_TYPE, body=body)
