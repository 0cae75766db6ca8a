"""What somebody would write by hand for one service and one protocol: the yardstick."""

import base64
from typing import Any

_TYPES = "type.googleapis.com/envoy.extensions"
_HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}
_PREFIX = "/user.v1.UserService/"
"""For REST too: the transcoder rewrites the path before the route is chosen."""


def bootstrap(protocol: str, upstream: int, descriptor: bytes) -> dict[str, Any]:
    """Returns a static configuration with only the filters that a protocol needs.

    Args:
        protocol: One of ``messages.PROTOCOLS``.
        upstream: Port on loopback.
        descriptor: FileDescriptorSet of the user service.
    """
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "minimal",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "users",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": _PREFIX}, "route": {"cluster": "users"}}],
                }
            ]
        },
        "http_filters": [*_filters(protocol, descriptor), _filter("router", "router.v3.Router")],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener = {
        "name": "http",
        "address": _address(0),
        "filter_chains": [{"filters": [network]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [_cluster(upstream)]}}


def _filters(protocol: str, descriptor: bytes) -> list[dict[str, Any]]:
    if protocol == "gRPC-Web":
        return [_filter("grpc_web", "grpc_web.v3.GrpcWeb")]
    if protocol == "REST":
        transcoder = _filter("grpc_json_transcoder", "grpc_json_transcoder.v3.GrpcJsonTranscoder")
        transcoder["typed_config"] |= {
            "proto_descriptor_bin": base64.b64encode(descriptor).decode(),
            "services": ["user.v1.UserService"],
        }
        return [transcoder]
    return []


def _filter(name: str, message: str) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{_TYPES}.filters.http.{message}"},
    }


def _cluster(port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "users",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": _HTTP2,
        "load_assignment": {
            "cluster_name": "users",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
