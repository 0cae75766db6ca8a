"""The least that serves one protocol, written by hand: no Envoy can cost less."""

import base64
from typing import Any

from bench.static_parts import cluster, http_filter, listener

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
        "http_filters": [
            *_filters(protocol, descriptor),
            http_filter("router", "router.v3.Router"),
        ],
    }
    return {
        "static_resources": {
            "listeners": [listener(manager)],
            "clusters": [cluster(upstream, {}, connect_timeout="1s")],
        }
    }


def _filters(protocol: str, descriptor: bytes) -> list[dict[str, Any]]:
    if protocol == "gRPC-Web":
        return [http_filter("grpc_web", "grpc_web.v3.GrpcWeb")]
    if protocol == "REST":
        return [
            http_filter(
                "grpc_json_transcoder",
                "grpc_json_transcoder.v3.GrpcJsonTranscoder",
                proto_descriptor_bin=base64.b64encode(descriptor).decode(),
                services=["user.v1.UserService"],
            )
        ]
    return []
