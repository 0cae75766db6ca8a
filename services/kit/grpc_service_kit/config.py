"""ServerConfig: the settings that every server has, read from environment variables."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.environment import Environment
from grpc_service_kit.tls import TlsConfig
from grpc_service_kit.tracing import TracingConfig

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOG_FORMATS = ("json", "text")
_MIB = 1024 * 1024
_MOST_CALLS = 1_000_000
_LONGEST_DRAIN = 86_400.0
"""Seconds, as `spec.drain.timeout` of a GrpcService."""


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Settings with the defaults a copy on a developer's machine can run with."""

    port: int = 50051
    """PORT: TCP port to listen on; 0 takes any free port."""
    metrics_port: int | None = 9090
    """METRICS_PORT: TCP port of /metrics; 0 takes any free port, `off` serves none."""
    metrics_port_is_set: bool = False
    """Whether METRICS_PORT names it; otherwise any free port will do where it is taken, so that
    several services run on a developer's machine as they are."""
    drain_seconds: float = 25.0
    """GRPC_DRAIN_SECONDS: time between SIGTERM and the end of the last call. The operator sets it
    from `spec.drain.timeout`; elsewhere keep it below the pod's terminationGracePeriodSeconds. 0
    ends the calls at once."""
    lame_duck_seconds: float = 5.0
    """LAME_DUCK_SECONDS: the first part of it, in which new calls are still served while clients
    see NOT_SERVING and go elsewhere; at most half of it. 0 leaves it out."""
    max_connection_age_seconds: float | None = 20.0
    """MAX_CONNECTION_AGE_SECONDS: a client is asked to reconnect (GOAWAY) after this time, give
    or take 10 %: a client that balances by itself looks for new instances then. Or `off`."""
    max_connection_age_grace_seconds: float | None = None
    """MAX_CONNECTION_AGE_GRACE_SECONDS: what calls on such a connection get to finish; `off`, the
    default, lets streams run for as long as they like."""
    max_message_bytes: int = 4 * _MIB
    """MAX_MESSAGE_BYTES: largest message, in either direction."""
    max_metadata_bytes: int = 16 * 1024
    """MAX_METADATA_BYTES: largest metadata of a request."""
    max_concurrent_calls: int = 1000
    """MAX_CONCURRENT_CALLS: open calls, streams among them; one more is RESOURCE_EXHAUSTED. Health
    checks do not count and are never refused."""
    max_streams_per_connection: int = 250
    """MAX_STREAMS_PER_CONNECTION: open calls of one connection; a gRPC client makes more of them
    wait, and a proxy opens another connection."""
    default_deadline_seconds: float | None = 60.0
    """DEFAULT_DEADLINE_SECONDS: ends unary calls that come without a deadline. Or `off`."""
    health_check_seconds: float = 2.0
    """HEALTH_CHECK_SECONDS: time between two checks of what a service needs, and their limit."""
    reflection: bool = True
    """REFLECTION: on or off; lets tools such as grpcurl list the methods."""
    instance_metadata: bool = False
    """INSTANCE_METADATA: on or off; answer every call with `x-instance`: the instance's name."""
    instance: str = "localhost"
    """HOSTNAME: the name of this instance; container runtimes set it to the pod's name."""
    log_level: str = "INFO"
    """LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""
    log_format: str = "json"
    """LOG_FORMAT: json or text."""
    tls: TlsConfig | None = None
    """TLS_*: None serves without encryption."""
    auth: AuthConfig | None = None
    """AUTH_*: None lets everybody call everything."""
    tracing: TracingConfig | None = None
    """OTEL_*: None makes no spans."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; raise ConfigError that names every wrong variable.

        A service with variables of its own uses `read`, so that all problems are reported together.
        """
        environment = Environment(environ)
        config = cls.read(environment)
        environment.check()
        return config

    @classmethod
    def read(cls, environment: Environment, port: int | None = None) -> Self:
        """Read the variables; `environment.check()` reports the problems.

        Args:
            environment: Where they are.
            port: The service's own default for PORT.
        """
        seconds, switch, off = environment.seconds, environment.switch, environment.unless_off
        return cls(
            port=environment.port("PORT", cls.port if port is None else port),
            metrics_port=off("METRICS_PORT", cls.metrics_port, environment.port),
            metrics_port_is_set=bool(environment.text("METRICS_PORT")),
            drain_seconds=seconds(
                "GRPC_DRAIN_SECONDS", cls.drain_seconds, least=0, most=_LONGEST_DRAIN
            ),
            lame_duck_seconds=seconds("LAME_DUCK_SECONDS", cls.lame_duck_seconds, least=0),
            # Younger connections than that would do little but be opened and closed.
            max_connection_age_seconds=off(
                "MAX_CONNECTION_AGE_SECONDS",
                cls.max_connection_age_seconds,
                partial(seconds, least=1),
            ),
            max_connection_age_grace_seconds=off(
                "MAX_CONNECTION_AGE_GRACE_SECONDS",
                cls.max_connection_age_grace_seconds,
                partial(seconds, least=0.1, most=_LONGEST_DRAIN),
            ),
            max_message_bytes=environment.integer(
                "MAX_MESSAGE_BYTES", cls.max_message_bytes, least=1024, most=1024 * _MIB
            ),
            max_metadata_bytes=environment.integer(
                "MAX_METADATA_BYTES", cls.max_metadata_bytes, least=1024, most=_MIB
            ),
            max_concurrent_calls=environment.integer(
                "MAX_CONCURRENT_CALLS", cls.max_concurrent_calls, least=1, most=_MOST_CALLS
            ),
            max_streams_per_connection=environment.integer(
                "MAX_STREAMS_PER_CONNECTION",
                cls.max_streams_per_connection,
                least=1,
                most=_MOST_CALLS,
            ),
            default_deadline_seconds=off(
                "DEFAULT_DEADLINE_SECONDS", cls.default_deadline_seconds, seconds
            ),
            health_check_seconds=seconds(
                "HEALTH_CHECK_SECONDS", cls.health_check_seconds, least=0.1
            ),
            reflection=switch("REFLECTION", default=cls.reflection),
            instance_metadata=switch("INSTANCE_METADATA", default=cls.instance_metadata),
            instance=environment.text("HOSTNAME", socket.gethostname()),
            log_level=environment.choice("LOG_LEVEL", _LOG_LEVELS, cls.log_level),
            log_format=environment.choice("LOG_FORMAT", _LOG_FORMATS, cls.log_format),
            tls=TlsConfig.read(environment),
            auth=AuthConfig.read(environment),
            tracing=TracingConfig.read(environment),
        )
