"""The virtual host by which the operator calls the health service of any attached service."""

from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.gateway.envoy.protobuf import duration
from grpc_operator.gateway.infrastructure import HEALTH, PROBE_CLUSTER_HEADER

SEGMENT = HEALTH
"""The table that has the probe's virtual host."""

_TIMEOUT = 5.0


def virtual_host(host: str) -> route.VirtualHost:
    """Returns the virtual host of the probe: a header names the cluster to call.

    Args:
        host: Host name that nobody can guess; only the health check is served under it.
    """
    action = route.RouteAction(
        cluster_header=PROBE_CLUSTER_HEADER,
        timeout=duration(_TIMEOUT),
        cluster_not_found_response_code=route.RouteAction.NOT_FOUND,
    )
    check = route.Route(
        match=route.RouteMatch(path=f"/{HEALTH}/Check"),
        route=action,
        request_headers_to_remove=[PROBE_CLUSTER_HEADER],
    )
    return route.VirtualHost(name="~probe", domains=[host], routes=[check])
