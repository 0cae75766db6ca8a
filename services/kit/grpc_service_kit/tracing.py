"""Tracing: OpenTelemetry's SDK, set up from its standard variables when they ask for it.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. The SDK itself
reads the others, such as OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Self

from opentelemetry import trace

from grpc_service_kit.environment import ConfigError, Environment

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@dataclass(frozen=True, kw_only=True)
class TracingConfig:
    """Which exporter takes the spans."""

    exporter: str
    """OTEL_TRACES_EXPORTER: `otlp` (when there is an OTEL_EXPORTER_OTLP_ENDPOINT) or `console`.
    Of `otlp`, OTEL_EXPORTER_OTLP_PROTOCOL chooses the one that is registered for the protocol."""

    @classmethod
    def read(cls, environment: Environment) -> Self | None:
        """Read the variables; None when they ask for no tracing."""
        endpoint = any(environment.text(name) for name in _ENDPOINTS)
        exporter = environment.text("OTEL_TRACES_EXPORTER", "otlp" if endpoint else "none")
        if exporter == "otlp":
            allowed = tuple(_PROTOCOLS)
            exporter = _PROTOCOLS[
                environment.choice("OTEL_EXPORTER_OTLP_PROTOCOL", allowed, "grpc")
            ]
        disabled = environment.text("OTEL_SDK_DISABLED").casefold() == "true"
        return None if disabled or exporter == "none" else cls(exporter=exporter)


def tracer_provider(config: TracingConfig) -> TracerProvider:
    """Return a provider that exports in the background; raise ConfigError when it cannot."""
    try:
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 only when asked for
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise _missing(config) from error
    found = entry_points(group="opentelemetry_traces_exporter", name=config.exporter)
    if not found:
        raise _missing(config)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(next(iter(found)).load()()))
    trace.set_tracer_provider(provider)  # For spans of the service's own.
    return provider


def _missing(config: TracingConfig) -> ConfigError:
    return ConfigError(
        f"OTEL_TRACES_EXPORTER: {config.exporter!r} is not installed; install"
        " grpc-service-kit[otlp], or set it to none"
    )
