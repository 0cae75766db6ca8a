"""One cluster for each attached service."""

from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from envoy.config.core.v3 import address_pb2, protocol_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.v3 import percent_pb2
from google.protobuf.wrappers_pb2 import UInt32Value

from grpc_operator import limits
from grpc_operator.gateway.envoy import listeners
from grpc_operator.gateway.envoy.protobuf import ads, duration, pack

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_CONNECT_TIMEOUT = 2.0
_IDLE_BEFORE_PING = 30.0
_PING_TIMEOUT = 5.0
_STREAMS = 100
_STREAM_WINDOW = 64 << 10
_CONNECTION_WINDOW = _STREAMS * _STREAM_WINDOW
"""Clients share a connection to a pod: those that do not read their responses fill the windows of
their streams, which must not fill that of the connection."""


def build(name: str) -> cluster_pb2.Cluster:
    """Returns the cluster of a service, whose endpoints come by EDS under the same name.

    Draining and unready endpoints are never fallen back to (no panic threshold); streams on them
    go on. The update merge window, which would hold back a draining endpoint for a second, is off.
    """
    cluster = cluster_pb2.Cluster(
        name=name,
        type=cluster_pb2.Cluster.EDS,
        eds_cluster_config=cluster_pb2.Cluster.EdsClusterConfig(eds_config=ads()),
        lb_policy=cluster_pb2.Cluster.LEAST_REQUEST,
        connect_timeout=duration(_CONNECT_TIMEOUT),
        per_connection_buffer_limit_bytes=UInt32Value(value=listeners.BUFFER_BYTES),
        circuit_breakers=circuit_breaker_pb2.CircuitBreakers(thresholds=[_thresholds()]),
        upstream_connection_options=cluster_pb2.UpstreamConnectionOptions(
            tcp_keepalive=address_pb2.TcpKeepalive()
        ),
        common_lb_config=cluster_pb2.Cluster.CommonLbConfig(
            healthy_panic_threshold=percent_pb2.Percent(value=0),
            update_merge_window=duration(0),
        ),
    )
    cluster.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(pack(_http2()))
    return cluster


def _thresholds() -> circuit_breaker_pb2.CircuitBreakers.Thresholds:
    """Returns what one service may use of a proxy; retries stay under a budget."""
    calls = UInt32Value(value=limits.PROXY_CALLS.value)
    thresholds = circuit_breaker_pb2.CircuitBreakers.Thresholds
    return thresholds(
        max_connections=UInt32Value(value=limits.PROXY_UPSTREAM_CONNECTIONS.value),
        max_pending_requests=calls,
        max_requests=calls,
        retry_budget=thresholds.RetryBudget(
            budget_percent=percent_pb2.Percent(value=20),
            min_retry_concurrency=UInt32Value(value=10),
        ),
    )


def _http2() -> http_protocol_options_pb2.HttpProtocolOptions:
    """Returns HTTP/2 with a ping before a connection that was idle is used again.

    Not at an interval: gRPC servers end connections that are pinged without need (gRFC A8).
    """
    options = http_protocol_options_pb2.HttpProtocolOptions
    http2 = protocol_pb2.Http2ProtocolOptions(
        max_concurrent_streams=UInt32Value(value=_STREAMS),
        initial_stream_window_size=UInt32Value(value=_STREAM_WINDOW),
        initial_connection_window_size=UInt32Value(value=_CONNECTION_WINDOW),
        connection_keepalive=protocol_pb2.KeepaliveSettings(
            connection_idle_interval=duration(_IDLE_BEFORE_PING), timeout=duration(_PING_TIMEOUT)
        ),
    )
    explicit = options.ExplicitHttpConfig(http2_protocol_options=http2)
    return options(explicit_http_config=explicit)
