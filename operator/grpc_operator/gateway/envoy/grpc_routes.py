"""Routes of one gRPC service: gRPC and gRPC-Web, one exact path for each method."""

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway.envoy import (
    call_metrics,
    compressed_responses,
    cors,
    destinations,
    filters,
    grpc_web_requests,
    header_matchers,
    metadata_validation,
    method_policy,
    resource_names,
)
from grpc_operator.gateway.envoy.destinations import Destination
from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.ir import Api, Attachment, Method, Policy

_NOT_FOUND = 404
_UNSUPPORTED_MEDIA_TYPE = 415


def preflight(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns the route of preflight requests.

    No request follows it: the CORS filter responds to them all, but only on routes to a cluster.
    """
    if attachment.cors is None:
        return []
    made = route.Route(
        match=route.RouteMatch(prefix=_prefix(api), headers=header_matchers.preflight()),
        route=method_policy.action(attachment.clusters[0], api.fallback),
    )
    _configure(made, attachment)
    return [made]


def build(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns the routes: methods, then unknown methods; other content types are refused.

    gRPC and gRPC-Web have routes of their own, so that gRPC does not pay for the filter of the
    other. Unknown methods are passed on, because a server may be newer than the descriptor, but
    they are not counted one by one: a client could make up any number of them. Names with escaped
    characters, such as slashes, are not: the server might read another method than was routed.
    """
    made, unknown = _malformed(attachment, api), [_escaped(api)]
    if attachment.grpc:
        calls, others = _calls(attachment, api, header_matchers.grpc())
        made += calls
        unknown += others
    if attachment.grpc_web:
        calls, others = _calls(attachment, api, [header_matchers.grpc_web()])
        for each in (*calls, *others):
            grpc_web_requests.enable(each)
            each.typed_per_filter_config[resource_names.GRPC_WEB].CopyFrom(filters.enabled())
            each.typed_per_filter_config[resource_names.RESPONSE].CopyFrom(filters.enabled())
        streamed = {
            f"/{api.name}/{method.name}"
            for method in api.methods
            if method.kind in compressed_responses.STREAMED
        }
        for each in calls:
            if each.match.path in streamed:
                compressed_responses.refuse_streams(each)
        made += calls
        unknown += others
    made += unknown
    if attachment.targets:
        made += _unreachable(attachment, api)
    made.append(_unsupported(attachment, api))
    for each in made:
        _configure(each, attachment)
    return made


def _calls(
    attachment: Attachment, api: Api, when: list[route.HeaderMatcher]
) -> tuple[list[route.Route], list[route.Route]]:
    """Returns the routes of calls by one protocol: those of methods, and those of all others."""
    made = [
        _method(attachment, api, method, to, when)
        for method in api.methods
        for to in _destinations(attachment, api, method)
    ]
    return made, [_unknown(attachment, api, to, when) for to in _destinations(attachment, api)]


def _destinations(
    attachment: Attachment, api: Api, method: Method | None = None
) -> list[Destination]:
    """Returns where calls of a method, or of any other one, go."""
    if method is None:
        return destinations.of(attachment, lambda each: api.name in each.api_names)
    return destinations.of(attachment, lambda each: (api.name, method.name) in each.methods)


def _method(
    attachment: Attachment,
    api: Api,
    method: Method,
    to: Destination,
    when: list[route.HeaderMatcher],
) -> route.Route:
    match = route.RouteMatch(path=f"/{api.name}/{method.name}", headers=[*to.conditions, *when])
    made = _to_clusters(attachment, to, match, method.policy)
    destinations.mirror(made.route, attachment, to, (api.name, method))
    call_metrics.count(made, api.name, method.name, timed=attachment.is_split)
    return made


def _to_clusters(
    attachment: Attachment, to: Destination, match: route.RouteMatch, policy: Policy
) -> route.Route:
    made = route.Route(match=match, route=method_policy.action(attachment.cluster, policy))
    destinations.direct(made, attachment, to)
    return made


def _malformed(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns where calls end whose metadata is malformed, unless servers want them."""
    if not attachment.validates_metadata:
        return []
    calls = [header_matchers.content_type("application/grpc")]
    return metadata_validation.refused(_prefix(api), calls)


def _escaped(api: Api) -> route.Route:
    """Returns where calls end whose path has an escaped character."""
    when = [header_matchers.content_type("application/grpc"), header_matchers.escaped()]
    return route.Route(
        match=route.RouteMatch(prefix=_prefix(api), headers=when),
        direct_response=route.DirectResponseAction(status=_NOT_FOUND),
    )


def _unknown(
    attachment: Attachment, api: Api, to: Destination, when: list[route.HeaderMatcher]
) -> route.Route:
    """Returns the route of calls by one protocol to methods that the descriptor does not have."""
    match = route.RouteMatch(prefix=_prefix(api), headers=[*to.conditions, *when])
    return _to_clusters(attachment, to, match, api.fallback)


def _unreachable(attachment: Attachment, api: Api) -> list[route.Route]:
    """Returns where calls without a tag end if only revisions without a share have the service."""
    if any(each.percent and api.name in each.api_names for each in attachment.targets):
        return []
    when = [header_matchers.content_type("application/grpc")]
    return [
        route.Route(
            match=route.RouteMatch(prefix=_prefix(api), headers=when),
            direct_response=route.DirectResponseAction(status=_NOT_FOUND),
        )
    ]


def _configure(made: route.Route, attachment: Attachment) -> None:
    if attachment.cors is not None:
        made.typed_per_filter_config[resource_names.CORS].CopyFrom(
            pack(cors.policy(attachment.cors))
        )


def _prefix(api: Api) -> str:
    return f"/{api.name}/"


def _unsupported(attachment: Attachment, api: Api) -> route.Route:
    offered = {"application/grpc": attachment.grpc, "application/grpc-web": attachment.grpc_web}
    types = " or ".join(content_type for content_type, given in offered.items() if given)
    text = f"no such REST path; {api.name} is served here by POST as {types}"
    body = base_pb2.DataSource(inline_string=text)
    return route.Route(
        match=route.RouteMatch(prefix=_prefix(api)),
        direct_response=route.DirectResponseAction(status=_UNSUPPORTED_MEDIA_TYPE, body=body),
    )
