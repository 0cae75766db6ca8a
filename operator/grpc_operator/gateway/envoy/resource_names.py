"""The names of resources, filters and headers; none depends on the order of anything."""

from grpc_operator.resources import Key

SCOPE_HEADER = "x-grpc-operator-scope"
"""Selects the route table of a request. Set by Envoy itself, never by a client."""

ORIGINAL = ("x-envoy-original-path", "x-envoy-original-method")
"""What a request was before the transcoder changed it. A call that has them came by REST."""

REST_SCOPE = "~rest"
"""First key of the REST scopes, of which each service has one. No listener can have this name."""

CORS = "envoy.filters.http.cors"
GRPC_STATS = "envoy.filters.http.grpc_stats"
GRPC_WEB = "envoy.filters.http.grpc_web"
LUA = "envoy.filters.http.lua"
ROUTER = "envoy.filters.http.router"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
"""Filters, under the names that routes configure them by."""

SELECT_REST_SCOPE = "select-rest-scope"
"""The script that redirects a request to the REST scope of its service."""


def table(first: str, segment: str) -> str:
    """Returns the name of a route table and of its scope: their two keys.

    Args:
        first: A listener, or ``REST_SCOPE``.
        segment: First segment of the path, or what ``rest_scope_key`` returns.
    """
    return f"{first}/{segment}"


def cluster(key: Key) -> str:
    """Returns the name of a service's cluster and of its endpoints."""
    return key.namespaced_name


def rest_scope_key(key: Key) -> str:
    """Returns the second key of a service's REST scope; a DNS label never has a tilde."""
    return f"{key.namespace}~{key.name}"
