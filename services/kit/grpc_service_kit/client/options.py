"""ClientOptions: how a service calls others; the defaults suit calls inside of a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from prometheus_client import REGISTRY, CollectorRegistry

from grpc_service_kit.client.errors import ClientConfigError
from grpc_service_kit.client.interceptors.outgoing import Step
from grpc_service_kit.client.retry import RetryPolicy
from grpc_service_kit.client.tls import ClientTls

_MIN_KEEPALIVE_SECONDS = 10
_OPTIONS = {
    "grpc.max_send_message_length": "max_message_bytes",
    "grpc.max_receive_message_length": "max_message_bytes",
    "grpc.keepalive_time_ms": "keepalive_seconds",
    "grpc.keepalive_permit_without_calls": "keepalive_seconds",
    "grpc.http2.max_pings_without_data": "keepalive_seconds",
    "grpc.keepalive_timeout_ms": "keepalive_timeout_seconds",
    "grpc.dns_min_time_between_resolutions_ms": "min_resolution_seconds",
    "grpc.ssl_target_name_override": "tls.server_name",
    "grpc.service_config": "the target's service config",
    "grpc.service_config_disable_resolution": "the target's service config",
}
"""Channel arguments that the kit sets, and by what they are changed."""


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """Options of one channel; ClientConfigError names every wrong one."""

    default_deadline_seconds: float | None = 15.0
    """For unary calls without a timeout of their own. Where the target's service config has a
    timeout (`spec.client.timeout`), that one is taken instead, and for streams as well."""
    deadline_margin_seconds: float = 0.02
    """How much earlier than the call being served its outgoing calls end."""
    wait_for_ready: bool = False
    """Whether calls wait for a connection until their deadline instead of failing at once with
    UNAVAILABLE when there is no instance; a call's own `wait_for_ready` stands. (`waitForReady` in
    a service config does less: it is not known yet while the name has no addresses.)"""
    retry: RetryPolicy | None = None
    """Which failed calls are made again; the service config's own policies stand."""
    authorization: Step | None = None
    """`bearer(token)` or `forward_authorization`."""
    tls: ClientTls | None = None
    """Plaintext (h2c) without it."""
    max_message_bytes: int = 4 * 1024 * 1024
    """The largest message that is sent or received; gRPC's own default for receiving."""
    keepalive_seconds: float = 310.0
    """Silence on a connection with open calls before it is tested with a ping. Servers close
    connections that ping more often than they allow (too_many_pings): gRPC servers allow one in 5
    minutes (gRFC A8), hence 300 s and 10 s for jitter of the network. Without open calls there
    are no pings, which servers would allow every 2 hours only. 10 s is the least, for servers
    whose grpc.http2.min_ping_interval_without_data_ms is below that."""
    keepalive_timeout_seconds: float = 20.0
    """Time for the answer to a ping, and, by TCP_USER_TIMEOUT (gRFC A18), for the
    acknowledgement of data: a request to a node that vanished fails after that long, not after
    the 15 minutes of TCP's own retransmissions."""
    min_resolution_seconds: float = 5.0
    """The least time between two DNS lookups. gRPC looks a name up again only when a connection
    ends, and by default not within 30 s of the last time. 5 s is how long CoreDNS lets clients
    keep an answer."""
    arguments: Mapping[str, int | str] = field(default_factory=dict)
    """More of gRPC's channel arguments (include/grpc/impl/channel_arg_names.h), such as
    `grpc.primary_user_agent`."""
    interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
    """More interceptors, run after those of the kit: they see calls as they are sent."""
    registry: CollectorRegistry = REGISTRY
    """Where the calls are counted (`grpc_client_*`)."""

    def __post_init__(self) -> None:
        limits = {
            "default_deadline_seconds": (self.default_deadline_seconds, 0.001),
            "deadline_margin_seconds": (self.deadline_margin_seconds, 0),
            "max_message_bytes": (self.max_message_bytes, 1),
            "keepalive_seconds": (self.keepalive_seconds, _MIN_KEEPALIVE_SECONDS),
            "keepalive_timeout_seconds": (self.keepalive_timeout_seconds, 0.001),
            "min_resolution_seconds": (self.min_resolution_seconds, 0.001),
        }
        problems = [
            f"{name}: {value!r} is not a number from {least} on"
            for name, (value, least) in limits.items()
            if value is not None and not least <= value < float("inf")
        ]
        problems += [
            f"arguments: {name}: the kit sets it itself; use {_OPTIONS[name]}"
            for name in self.arguments
            if name in _OPTIONS
        ]
        if problems:
            raise ClientConfigError("\n".join(problems))

    def channel_arguments(self) -> list[tuple[str, int | str]]:
        """Return gRPC's channel arguments (include/grpc/impl/channel_arg_names.h)."""
        return [*self._own_arguments(), *self.arguments.items()]

    def _own_arguments(self) -> list[tuple[str, int | str]]:
        return [
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.keepalive_time_ms", round(self.keepalive_seconds * 1000)),
            ("grpc.keepalive_timeout_ms", round(self.keepalive_timeout_seconds * 1000)),
            ("grpc.keepalive_permit_without_calls", 0),
            # A watch may be silent for hours; by default pings end after the second one.
            ("grpc.http2.max_pings_without_data", 0),
            (
                "grpc.dns_min_time_between_resolutions_ms",
                round(self.min_resolution_seconds * 1000),
            ),
            # The service config is the target's, never a TXT record's.
            ("grpc.service_config_disable_resolution", 1),
        ]
