"""A gateway between a client and a server: ours, or what somebody would write by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.envoy.envoy import Envoy
from tests.envoy.protocols.gateway import Exposed, running_gateway

DIRECT, PLAIN, OURS = "direct", "plain-envoy", "ours"
KINDS = (DIRECT, PLAIN, OURS)

_TYPES = "type.googleapis.com/envoy.extensions"
_CLUSTER = "server"


@dataclass(frozen=True)
class Service:
    """A service as both gateways serve it.

    Attributes:
        descriptor: FileDescriptorSet.
        gateway: Further fields of ``spec.gateway``.
    """

    descriptor: bytes
    gateway: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def serving(kind: str, service: Service, upstream: int) -> AsyncIterator[int]:
    """Runs a gateway; yields its port on loopback.

    Args:
        kind: One of ``KINDS``.
        service: What it serves.
        upstream: Port of the server on loopback, which speaks HTTP/2 without TLS.
    """
    if kind == DIRECT:
        yield upstream
    elif kind == OURS:
        async with running_gateway() as gateway:
            await gateway.serve(
                Exposed("suite", service.descriptor, (upstream,), dict(service.gateway))
            )
            yield gateway.port
    else:
        envoy = await Envoy.start(0, config=_by_hand(upstream))
        try:
            yield await envoy.port()
        finally:
            await envoy.stop()


def _by_hand(upstream: int) -> dict[str, Any]:
    """Returns what Envoy's documentation of gRPC-Web shows, with no timeout for calls."""
    action = {"cluster": _CLUSTER, "timeout": "0s"}
    routes = [{"match": {"prefix": "/"}, "route": action}]
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            _filter("grpc_web", "grpc_web.v3.GrpcWeb"),
            _filter("router", "router.v3.Router"),
        ],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener = {
        "name": "http",
        "address": _address(0),
        "filter_chains": [{"filters": [network]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [_server(upstream)]}}


def _server(port: int) -> dict[str, Any]:
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    http2 = {
        "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": _CLUSTER,
        "type": "STATIC",
        "typed_extension_protocol_options": {name: http2},
        "load_assignment": {
            "cluster_name": _CLUSTER,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _filter(name: str, message: str) -> dict[str, Any]:
    config = {"@type": f"{_TYPES}.filters.http.{message}"}
    return {"name": f"envoy.filters.http.{name}", "typed_config": config}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
