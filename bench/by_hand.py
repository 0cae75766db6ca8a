"""What an expert would write by hand for what a GrpcService has by default: no script, no xDS.

Every feature is there by what Envoy has for it; ``README.md`` says which are only close.
"""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from bench.static_parts import cluster, http_filter, listener, packed

_SERVICE = "user.v1.UserService"
_IDEMPOTENT, _UNARY = ("GetUser",), ("CreateUser", "UpdateUser", "DeleteUser")
_STREAMS = ("ListUsers", "BatchCreateUsers", "SyncUsers")
_REST = "/v1/users"

_GRPC = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
_GRPC_WEB = {"name": "content-type", "string_match": {"prefix": "application/grpc-web"}}
_NOT_GRPC = _GRPC | {"invert_match": True, "treat_missing_header_as_empty": True}
_NOT_GRPC_WEB = _GRPC_WEB | {"invert_match": True}

_MALFORMED = {
    "grpc-timeout": "[0-9]{1,8}[HMSmun]",
    "grpc-encoding": "identity|deflate|gzip",
    "grpc-previous-rpc-attempts": "[0-9]{1,9}",
    "grpc-trace-bin": "[A-Za-z0-9+/]*={0,2}",
    "grpc-tags-bin": "[A-Za-z0-9+/]*={0,2}",
}
"""What the values of a header must be: Envoy has no matcher for every header ending in -bin."""

_REMOVED = (
    *("forwarded", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix"),
    *("x-forwarded-server", "x-real-ip", "x-envoy-external-address", "endpoint-load-metrics-bin"),
    *("grpc-internal-encoding-request", "grpc-message", "grpc-retry-pushback-ms"),
    *("grpc-server-stats-bin", "grpc-status", "grpc-status-details-bin", "grpclb_client_stats"),
    *("lb-cost-bin", "lb-token"),
)
_REST_ERRORS = {413: 8, 415: 3, 404: 5, 405: 12, 429: 8, 500: 13, 501: 12, 503: 14, 504: 4}
"""gRPC's status for those of HTTP that Envoy itself answers with."""


def bootstrap(upstream: int, descriptor: bytes) -> dict[str, Any]:
    """Returns a static configuration with every protocol.

    Args:
        upstream: Port on loopback.
        descriptor: FileDescriptorSet of the user service.
    """
    limit = {
        "name": "envoy.filters.network.connection_limit",
        "typed_config": packed(
            "filters.network.connection_limit.v3.ConnectionLimit",
            stat_prefix="http",
            max_connections=10_000,
        ),
    }
    return {
        "static_resources": {
            "listeners": [listener(_manager(descriptor), limit)],
            "clusters": [_cluster(upstream)],
        },
        "overload_manager": _overload(),
    }


def _manager(descriptor: bytes) -> dict[str, Any]:
    return {
        "stat_prefix": "http",
        "http_filters": list(_filters()),
        "route_config": _routes(descriptor),
        "local_reply_config": {"mappers": [_json_error(*pair) for pair in _REST_ERRORS.items()]},
        "use_remote_address": True,
        "internal_address_config": {
            "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]
        },
        "normalize_path": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "strip_trailing_host_dot": True,
        "always_set_request_id_in_response": True,
        "request_headers_timeout": "10s",
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
            "override_stream_error_on_invalid_http_message": True,
            "connection_keepalive": {"interval": "60s", "timeout": "20s"},
        },
    }


def _filters() -> Iterator[dict[str, Any]]:
    """Yields the filters: those that not every route needs are disabled until one enables them."""
    yield http_filter("rbac", "rbac.v3.RBAC", rules=_well_formed(), disabled=True)
    yield http_filter("cors", "cors.v3.Cors", disabled=True)
    yield http_filter("buffer", "buffer.v3.Buffer", max_request_bytes=1, disabled=True)
    yield http_filter("grpc_web", "grpc_web.v3.GrpcWeb", disabled=True)
    yield http_filter(
        "grpc_json_transcoder",
        "grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin="",
        disabled=True,
    )
    yield http_filter(
        "grpc_stats",
        "grpc_stats.v3.FilterConfig",
        stats_for_all_methods=True,
        replace_dots_in_grpc_service_name=True,
        disabled=True,
    )
    yield http_filter("router", "router.v3.Router", suppress_envoy_headers=True)


def _well_formed() -> dict[str, Any]:
    """Returns what refuses calls with a malformed header."""
    principals = [
        {
            "header": {
                "name": name,
                "string_match": {"safe_regex": {"regex": pattern}},
                "invert_match": True,
            }
        }
        for name, pattern in _MALFORMED.items()
    ]
    policy = {"permissions": [{"any": True}], "principals": principals}
    return {"action": "DENY", "policies": {"malformed": policy}}


def _routes(descriptor: bytes) -> dict[str, Any]:
    return {
        "virtual_hosts": [
            {
                "name": "users",
                "domains": ["*"],
                "routes": [*_grpc_routes(), *_grpc_web_routes(), *_rest_routes(descriptor)],
            }
        ],
        "request_headers_to_remove": list(_REMOVED),
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": 4096,
    }


def _grpc_routes() -> Iterator[dict[str, Any]]:
    """Yields the routes of gRPC; calls by REST have them, too, when they are transcoded."""
    for method, action in _methods():
        yield {
            "match": {"path": method, "headers": [_GRPC, _NOT_GRPC_WEB]},
            "route": action,
            "typed_per_filter_config": _enabled("rbac", "grpc_stats"),
        }


def _grpc_web_routes() -> Iterator[dict[str, Any]]:
    for method, action in _methods():
        yield {
            "match": {"path": method, "headers": [_GRPC_WEB]},
            "route": action,
            # A browser cannot read what the server has compressed.
            "request_headers_to_remove": ["grpc-accept-encoding"],
            "typed_per_filter_config": _enabled("rbac", "grpc_stats", "grpc_web"),
        }


def _rest_routes(descriptor: bytes) -> Iterator[dict[str, Any]]:
    """Yields what requests match before they are transcoded, and are matched again."""
    has_body = {"name": ":method", "string_match": {"safe_regex": {"regex": "POST|PUT|PATCH"}}}
    json = {"safe_regex": {"regex": "(?i)application/([-a-z0-9.+_]+[+])?json[ \t]*(;.*)?"}}
    other = {"name": "content-type", "string_match": json, "invert_match": True}
    compressed = {"name": "content-encoding", "present_match": True}
    yield _refused([_NOT_GRPC, compressed], "a body must not be compressed: no content-encoding")
    yield _refused(
        [has_body, _NOT_GRPC, other | {"treat_missing_header_as_empty": True}],
        "a body must be JSON: content-type application/json",
    )
    yield {
        "match": {"prefix": _REST, "headers": [_NOT_GRPC]},
        "route": {"cluster": "users"},
        "request_headers_to_remove": ["grpc-encoding", "grpc-accept-encoding"],
        "typed_per_filter_config": {
            **_enabled("rbac", "grpc_stats"),
            "envoy.filters.http.buffer": packed(
                "filters.http.buffer.v3.BufferPerRoute",
                buffer={"max_request_bytes": 4_194_304},
            ),
            "envoy.filters.http.grpc_json_transcoder": _transcoder(descriptor),
        },
    }
    yield {"match": {"prefix": "/"}, "direct_response": {"status": 404}}


def _refused(headers: Sequence[dict[str, Any]], why: str) -> dict[str, Any]:
    return {
        "match": {"prefix": _REST, "headers": list(headers)},
        "direct_response": {"status": 415, "body": {"inline_string": why}},
    }


def _transcoder(descriptor: bytes) -> dict[str, Any]:
    return packed(
        "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin=base64.b64encode(descriptor).decode(),
        services=[_SERVICE],
        convert_grpc_status=True,
        url_unescape_spec="ALL_CHARACTERS_EXCEPT_SLASH",
        query_param_unescape_plus=True,
        max_request_body_size=4_259_840,
        max_response_body_size=4_259_840,
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
    )


def _methods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each path with its route action: how long a call may take, and when it is retried."""
    safe = "connect-failure,refused-stream,reset-before-request"
    unary = {
        "idle_timeout": "0s",
        "max_stream_duration": {"max_stream_duration": "15s", "grpc_timeout_header_max": "300s"},
    }
    stream = {"idle_timeout": "3600s", "max_stream_duration": {"max_stream_duration": "0s"}}
    for names, times, retry_on in (
        (_IDEMPOTENT, unary, f"{safe},unavailable"),
        (_UNARY, unary, safe),
        (_STREAMS, stream, safe),
    ):
        action = {"cluster": "users", "timeout": "0s", **times, "retry_policy": _retry(retry_on)}
        for name in names:
            yield f"/{_SERVICE}/{name}", action


def _retry(retry_on: str) -> dict[str, Any]:
    previous = "envoy.retry_host_predicates.previous_hosts"
    message = "retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": retry_on,
        "num_retries": 2,
        "host_selection_retry_max_attempts": 40,
        "retry_host_predicate": [{"name": previous, "typed_config": packed(message)}],
    }


def _enabled(*filters: str) -> dict[str, Any]:
    on = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
    return {f"envoy.filters.http.{name}": on for name in filters}


def _json_error(status: int, code: int) -> dict[str, Any]:
    """Returns what gives the body of google.rpc.Status to an error of REST."""
    comparison = {"value": {"default_value": status, "runtime_key": "bench.unused"}}
    both = [
        {"status_code_filter": {"comparison": comparison}},
        {"header_filter": {"header": _NOT_GRPC}},
    ]
    return {
        "filter": {"and_filter": {"filters": both}},
        "body_format_override": {
            "json_format": {"code": code, "message": "%LOCAL_REPLY_BODY%", "details": []}
        },
    }


def _cluster(upstream: int) -> dict[str, Any]:
    threshold = {
        "max_connections": 1000,
        "max_pending_requests": 10_000,
        "max_requests": 10_000,
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 10},
    }
    http2 = {
        "max_concurrent_streams": 100,
        "initial_stream_window_size": 65_536,
        "initial_connection_window_size": 6_553_600,
        "connection_keepalive": {"timeout": "5s", "connection_idle_interval": "30s"},
    }
    return cluster(
        upstream,
        http2,
        connect_timeout="2s",
        per_connection_buffer_limit_bytes=32_768,
        lb_policy="LEAST_REQUEST",
        circuit_breakers={"thresholds": [threshold]},
        common_lb_config={"healthy_panic_threshold": {}},
        upstream_connection_options={"tcp_keepalive": {}},
    )


def _overload() -> dict[str, Any]:
    heap, connections = "fixed_heap", "global_downstream_max_connections"
    return {
        "refresh_interval": "0.1s",
        "resource_monitors": [
            {
                "name": f"envoy.resource_monitors.{heap}",
                "typed_config": packed(
                    "resource_monitors.fixed_heap.v3.FixedHeapConfig",
                    max_heap_size_bytes=858_993_459,
                ),
            },
            {
                "name": f"envoy.resource_monitors.{connections}",
                "typed_config": packed(
                    "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=20_971,
                ),
            },
        ],
        "actions": [
            {
                "name": f"envoy.overload_actions.{action}",
                "triggers": [
                    {"name": f"envoy.resource_monitors.{heap}", "threshold": {"value": share}}
                ],
            }
            for action, share in (
                ("disable_http_keepalive", 0.92),
                ("stop_accepting_requests", 0.95),
            )
        ],
    }
