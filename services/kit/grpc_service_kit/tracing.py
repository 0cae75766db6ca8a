"""Tracing: OpenTelemetry's SDK, set up from its standard variables when they ask for it.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. The SDK itself
reads the others, such as OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from grpc_service_kit.environment import ConfigError, Environment

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

logger = logging.getLogger(__name__)


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
    from importlib.metadata import entry_points  # noqa: PLC0415 all of this: only when asked for

    try:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise _missing(config) from error
    found = entry_points(group="opentelemetry_traces_exporter", name=config.exporter)
    if not found:
        raise _missing(config)
    provider = TracerProvider(shutdown_on_exit=False)  # `export_rest` does it in time.
    try:
        provider.add_span_processor(BatchSpanProcessor(next(iter(found)).load()()))
    except ValueError as error:  # One of the SDK's own variables; its texts name the setting.
        raise ConfigError(f"OTEL_*: {error}") from error
    trace.set_tracer_provider(provider)  # For spans of the service's own.
    return provider


async def export_rest(provider: TracerProvider, seconds: float) -> None:
    """Export the spans that are left and shut down, for at most so many seconds.

    An exporter waits for a collector that does not answer: up to 10 s for each batch. The thread is
    a daemon, which the process leaves behind.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        try:
            provider.shutdown()
        finally:
            with suppress(RuntimeError):  # The loop is closed: nobody is waiting any more.
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, name="tracing", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        logger.warning("the collector has not taken the last spans in %.1fs: dropped", seconds)


def _missing(config: TracingConfig) -> ConfigError:
    return ConfigError(
        f"OTEL_TRACES_EXPORTER: {config.exporter!r} is not installed; install"
        " grpc-service-kit[otlp], or set it to none"
    )
