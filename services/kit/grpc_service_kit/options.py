"""Channel arguments of the server: limits, and how connections live and end.

https://grpc.github.io/grpc/core/group__grpc__arg__keys.html
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grpc_service_kit.config import ServerConfig

_KEEPALIVE_SECONDS = 60
"""How long a connection may be silent before the server asks whether the client is still there."""
_KEEPALIVE_TIMEOUT_SECONDS = 20
_CLIENT_PING_SECONDS = 9
"""How often a client may ping. gRPC's own limit of 5 minutes ends connections (GOAWAY,
too_many_pings) of clients that want to find out about dead servers sooner; 10 s is the least that
clients may set (gRFC A8), and clocks are not exact."""


def channel_arguments(config: "ServerConfig") -> list[tuple[str, int]]:
    """Return what `grpc.aio.server` takes as options."""
    arguments = [
        # Without this a second process could share the port and take half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", config.max_message_bytes),
        ("grpc.max_metadata_size", config.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", config.max_metadata_bytes),
        ("grpc.max_concurrent_streams", config.max_streams_per_connection),
        ("grpc.keepalive_time_ms", _KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_SECONDS * 1000),
        ("grpc.http2.min_ping_interval_without_data_ms", _CLIENT_PING_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    ages = {
        "grpc.max_connection_age_ms": config.max_connection_age_seconds,
        # Without one gRPC never cuts a call for the age of its connection.
        "grpc.max_connection_age_grace_ms": config.max_connection_age_grace_seconds,
    }
    arguments += [(name, round(age * 1000)) for name, age in ages.items() if age is not None]
    return arguments
