"""A port of the gateway: HTTP/1.1 and HTTP/2, plain or TLS, hardened as an edge."""

from envoy.config.core.v3 import address_pb2, base_pb2, config_source_pb2, protocol_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from grpc_operator.gateway.envoy import access_log, filters, local_replies, scoped_routes
from grpc_operator.gateway.envoy.protobuf import address, duration, pack
from grpc_operator.gateway.ir import GatewayIr, Listener
from grpc_operator.names import sds_path, sds_secret

_HTTP_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
_TLS = "envoy.transport_sockets.tls"
_ALPN = ("h2", "http/1.1")
_HEADERS_TIMEOUT = 10.0
_PING_INTERVAL = 60.0
_PING_TIMEOUT = 20.0
_STREAMS = 4096
_STREAM_WINDOW = 256 << 10
_CONNECTION_WINDOW = 4 << 20


def build(gateway: GatewayIr, listener: Listener) -> listener_pb2.Listener:
    """Returns the listener.

    It is named by its port: Envoy refuses a second listener on a port, and so the new name of a
    renamed one, as long as the first exists.
    """
    manager = listener_components_pb2.Filter(
        name=_HTTP_CONNECTION_MANAGER, typed_config=pack(_manager(gateway, listener))
    )
    chain = listener_components_pb2.FilterChain(filters=[manager])
    if listener.tls:
        chain.transport_socket.CopyFrom(_tls(listener))
    return listener_pb2.Listener(
        name=str(listener.port),
        address=address("0.0.0.0", listener.port),  # noqa: S104 - a pod's port
        filter_chains=[chain],
    )


def _manager(gateway: GatewayIr, listener: Listener) -> hcm.HttpConnectionManager:
    manager = hcm.HttpConnectionManager
    return manager(
        stat_prefix=listener.name,
        scoped_routes=scoped_routes.scoped_routes(listener),
        early_header_mutation_extensions=[scoped_routes.header(listener)],
        http_filters=filters.build(),
        local_reply_config=local_replies.build(),
        access_log=[access_log.build(gateway.probe_host)] if gateway.access_log else [],
        use_remote_address=BoolValue(value=True),
        internal_address_config=_no_internal_address(),
        normalize_path=BoolValue(value=True),
        generate_request_id=BoolValue(value=False),
        preserve_external_request_id=True,
        request_headers_timeout=duration(_HEADERS_TIMEOUT),
        http2_protocol_options=_http2(),
    )


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


def _http2() -> protocol_pb2.Http2ProtocolOptions:
    """Returns limits of one client's connection; pings detect clients that are gone."""
    return protocol_pb2.Http2ProtocolOptions(
        max_concurrent_streams=UInt32Value(value=_STREAMS),
        initial_stream_window_size=UInt32Value(value=_STREAM_WINDOW),
        initial_connection_window_size=UInt32Value(value=_CONNECTION_WINDOW),
        override_stream_error_on_invalid_http_message=BoolValue(value=True),
        connection_keepalive=protocol_pb2.KeepaliveSettings(
            interval=duration(_PING_INTERVAL), timeout=duration(_PING_TIMEOUT)
        ),
    )
