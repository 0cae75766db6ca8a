"""The names that resources, filters and headers have; none depends on the order of anything."""

from grpc_operator.resources import Key

SCOPE_HEADER = "x-grpc-operator-scope"
"""Says which route table serves a request. Set by Envoy itself, never by a client."""

CLUSTER_HEADER = "x-grpc-operator-cluster"
"""Says which service the operator's own probe is for; only on the probe's host."""

ORIGINAL = ("x-envoy-original-path", "x-envoy-original-method")
"""What a request was before the transcoder changed it. Says that a call came by REST."""

OWN = "~rest"
"""First key of the scopes that belong to one service alone. No listener can have this name."""

CORS = "envoy.filters.http.cors"
GRPC_STATS = "envoy.filters.http.grpc_stats"
GRPC_WEB = "envoy.filters.http.grpc_web"
LUA = "envoy.filters.http.lua"
ROUTER = "envoy.filters.http.router"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
"""Filters, under the names that routes configure them by."""

RESCOPE = "rescope"
"""The script that sends a request on to its service's own scope."""


def table(first: str, segment: str) -> str:
    """Returns the name of a route table and of its scope: their two keys.

    Args:
        first: A listener, or ``OWN``.
        segment: First segment of the path, or what ``own_segment`` returns.
    """
    return f"{first}/{segment}"


def cluster(key: Key) -> str:
    """Returns the name of a service's cluster and of its endpoints."""
    return key.namespaced_name


def own_segment(key: Key) -> str:
    """Returns the second key of a service's own scope; a DNS label never has a tilde."""
    return f"{key.namespace}~{key.name}"
