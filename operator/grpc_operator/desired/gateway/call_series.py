"""What the proxies call the series of calls: how many ended, and how long they took.

Envoy writes the labels of a series into its name: ``grpc.calls_total.envoy_cluster_name.CLUSTER.
grpc_method.SERVICE/METHOD.grpc_status.CODE``. Clusters and methods have no dot, services do.
"""

SCOPE = "grpc"
"""First part of the names of all of them."""

CALLS = "calls_total"
"""Counter of the calls that ended, by cluster, method and status."""

TIMES = "call_milliseconds"
"""Histogram of their times, by cluster; with several revisions, by method as well."""

CLUSTER = "envoy_cluster_name"
"""Label with NAMESPACE/NAME of the GrpcService, and its revision; as in Envoy's own series."""

METHOD = "grpc_method"
"""Label with SERVICE/METHOD."""

STATUS = "grpc_status"
"""Label with the number of the gRPC status code."""


def start(series: str) -> str:
    """Returns the beginning of the names of a series, before the name of the cluster."""
    return f"{SCOPE}.{series}.{CLUSTER}."
