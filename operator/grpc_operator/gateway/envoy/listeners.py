"""A port of the gateway: HTTP/1.1 and HTTP/2, plain or TLS, hardened as Envoy's best practices say.

"Configuring Envoy as an edge proxy" in Envoy's documentation; deviations are in docs/adr/0023.
"""

from envoy.config.core.v3 import address_pb2, base_pb2, config_source_pb2, protocol_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.filters.network.connection_limit.v3 import connection_limit_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.request_id.uuid.v3 import uuid_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value, UInt64Value

from grpc_operator.gateway.envoy import (
    access_log,
    call_metrics,
    filters,
    local_replies,
    proxy_module,
    scoped_routes,
)
from grpc_operator.gateway.envoy.protobuf import address, duration, pack
from grpc_operator.gateway.ir import ClientTraffic, GatewayIr, Listener
from grpc_operator.names import sds_path, sds_secret

_CONNECTION_LIMIT = "envoy.filters.network.connection_limit"
_HTTP_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
_TLS = "envoy.transport_sockets.tls"
_ALPN = ("h2", "http/1.1")
_HEADERS_TIMEOUT = 10.0
_PING_INTERVAL = 60.0
_PING_TIMEOUT = 20.0
_STREAM_WINDOW = 64 << 10
_CONNECTION_WINDOW = 1 << 20

BUFFER_BYTES = 32 << 10
"""What is read from a connection, or waits to be written to it, before the sender has to pause."""

_UNDERSCORES = {
    "Allow": protocol_pb2.HttpProtocolOptions.ALLOW,
    "RejectRequest": protocol_pb2.HttpProtocolOptions.REJECT_REQUEST,
    "DropHeader": protocol_pb2.HttpProtocolOptions.DROP_HEADER,
}
_ESCAPED_SLASHES = {
    "KeepUnchanged": hcm.HttpConnectionManager.KEEP_UNCHANGED,
    "RejectRequest": hcm.HttpConnectionManager.REJECT_REQUEST,
    "UnescapeAndForward": hcm.HttpConnectionManager.UNESCAPE_AND_FORWARD,
    "UnescapeAndRedirect": hcm.HttpConnectionManager.UNESCAPE_AND_REDIRECT,
}


def build(gateway: GatewayIr, listener: Listener) -> listener_pb2.Listener:
    """Returns the listener.

    It is named by its port: Envoy refuses a second listener on a port, and so the new name of a
    renamed one, as long as the first exists.
    """
    manager = listener_components_pb2.Filter(
        name=_HTTP_CONNECTION_MANAGER, typed_config=pack(_manager(gateway, listener))
    )
    filters = [_connection_limit(gateway.client_traffic, listener), manager]
    chain = listener_components_pb2.FilterChain(filters=filters)
    if listener.tls:
        chain.transport_socket.CopyFrom(_tls(listener))
    return listener_pb2.Listener(
        name=str(listener.port),
        address=address("0.0.0.0", listener.port),  # noqa: S104 - a pod's port
        filter_chains=[chain],
        per_connection_buffer_limit_bytes=UInt32Value(value=BUFFER_BYTES),
    )


def _connection_limit(traffic: ClientTraffic, listener: Listener) -> listener_components_pb2.Filter:
    limit = connection_limit_pb2.ConnectionLimit(
        stat_prefix=listener.name, max_connections=UInt64Value(value=traffic.connections)
    )
    return listener_components_pb2.Filter(name=_CONNECTION_LIMIT, typed_config=pack(limit))


def _manager(gateway: GatewayIr, listener: Listener) -> hcm.HttpConnectionManager:
    manager, traffic = hcm.HttpConnectionManager, gateway.client_traffic
    return manager(
        stat_prefix=listener.name,
        scoped_routes=scoped_routes.scoped_routes(listener),
        early_header_mutation_extensions=[proxy_module.early_mutation(listener)],
        http_filters=filters.build(),
        local_reply_config=local_replies.build(),
        access_log=[
            call_metrics.build(),
            *(access_log.build(gateway.probe_host) if gateway.access_log else ()),
        ],
        use_remote_address=BoolValue(value=True),
        xff_num_trusted_hops=gateway.trusted_hops,
        internal_address_config=_no_internal_address(),
        normalize_path=BoolValue(value=True),
        strip_trailing_host_dot=True,
        path_with_escaped_slashes_action=_ESCAPED_SLASHES[traffic.escaped_slashes],
        # Whoever appends to x-forwarded-for is trusted to say which request it is, too.
        preserve_external_request_id=gateway.trusted_hops > 0,
        request_id_extension=_request_id(),
        always_set_request_id_in_response=True,
        request_headers_timeout=duration(_HEADERS_TIMEOUT),
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(
            # Nothing else closes HTTP/1.1 connections whose stream the overload manager reset.
            idle_timeout=duration(traffic.idle_timeout),
            headers_with_underscores_action=_UNDERSCORES[traffic.underscores],
        ),
        http2_protocol_options=_http2(traffic),
    )


def _request_id() -> hcm.RequestIDExtension:
    """Returns UUIDs without the bits by which Envoy would tell itself whether to trace."""
    uuid = uuid_pb2.UuidRequestIdConfig(pack_trace_reason=BoolValue(value=False))
    return hcm.RequestIDExtension(typed_config=pack(uuid))


def _no_internal_address() -> hcm.HttpConnectionManager.InternalAddressConfig:
    """Returns addresses whose ``x-envoy-`` headers are trusted: one that no client has.

    Without any, Envoy trusts every private address, and so every pod.
    """
    none = address_pb2.CidrRange(address_prefix="255.255.255.255", prefix_len=UInt32Value(value=32))
    return hcm.HttpConnectionManager.InternalAddressConfig(cidr_ranges=[none])


def _tls(listener: Listener) -> base_pb2.TransportSocket:
    """Returns TLS with the certificate from a file, which the proxy watches."""
    source = config_source_pb2.ConfigSource(
        resource_api_version=config_source_pb2.ApiVersion.V3,
        path_config_source=config_source_pb2.PathConfigSource(path=sds_path(listener.name)),
    )
    certificate = secret_pb2.SdsSecretConfig(name=sds_secret(listener.name), sds_config=source)
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context=tls_pb2.CommonTlsContext(
            alpn_protocols=_ALPN, tls_certificate_sds_secret_configs=[certificate]
        )
    )
    return base_pb2.TransportSocket(name=_TLS, typed_config=pack(context))


def _http2(traffic: ClientTraffic) -> protocol_pb2.Http2ProtocolOptions:
    """Returns limits of one client's connection; pings detect clients that are gone."""
    return protocol_pb2.Http2ProtocolOptions(
        max_concurrent_streams=UInt32Value(value=traffic.streams),
        initial_stream_window_size=UInt32Value(value=_STREAM_WINDOW),
        initial_connection_window_size=UInt32Value(value=_CONNECTION_WINDOW),
        override_stream_error_on_invalid_http_message=BoolValue(value=True),
        connection_keepalive=protocol_pb2.KeepaliveSettings(
            interval=duration(_PING_INTERVAL), timeout=duration(_PING_TIMEOUT)
        ),
    )
