"""The names of resources, filters and headers; none depends on the order of anything."""

SCOPE_HEADER = "x-grpc-operator-scope"
"""Selects the route table of a request. Set by Envoy itself, never by a client."""

MALFORMED_HEADER = "x-grpc-operator-malformed"
"""Why a request is to be refused. Set by the module, never by a client."""

ORIGINAL = ("x-envoy-original-path", "x-envoy-original-method")
"""What the transcoder says a request was before; for the access log and servers it says too much:
queries may hold secrets, and a server has a limit for headers."""

REST_REQUEST = "grpc_operator.rest_request"
"""Dynamic metadata of calls by REST: their ``method`` and ``path`` before the transcoder."""

NO_METHOD = "~"
"""Name of the route of paths that match no method of any service; no service can have it."""

SPLIT = "~split"
"""Name of the route of REST requests that are split among revisions; no service can have it."""

RESPONSE = "grpc_operator.response"
"""Dynamic metadata, and the filter that notes it: the ``grpc_status`` that a server sent."""

REST_SCOPE = "~rest"
"""First key of the REST scopes, of which each service, or each of its revisions, has one. No
listener can have this name."""

BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
CUSTOM_RESPONSE = "envoy.filters.http.custom_response"
GRPC_WEB = "envoy.filters.http.grpc_web"
ROUTER = "envoy.filters.http.router"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
"""Filters, under the names that routes configure them by."""

REST_REQUESTS = "grpc_operator.rest_requests"
"""The filter that redirects a request to the REST scope of its service."""

GRPC_WEB_REQUESTS = "grpc_operator.grpc_web_requests"
"""The filter that makes gRPC-Web requests what Envoy's filter knows."""


def table(first: str, segment: str) -> str:
    """Returns the name of a route table and of its scope: their two keys.

    Args:
        first: A listener, or ``REST_SCOPE``.
        segment: First segment of the path, or what ``rest_scope_key`` returns.
    """
    return f"{first}/{segment}"


def rest_scope_key(cluster: str) -> str:
    """Returns the second key of a REST scope; a DNS label never has a tilde.

    Args:
        cluster: The cluster of the service, or of its revision, that the scope is for.
    """
    return cluster.replace("/", "~")
