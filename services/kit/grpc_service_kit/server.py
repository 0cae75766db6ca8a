"""The gRPC server: its interceptors in order, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from prometheus_client import REGISTRY, CollectorRegistry

from grpc_service_kit.call import Interceptor
from grpc_service_kit.config import ServerConfig
from grpc_service_kit.environment import ConfigError
from grpc_service_kit.errors import Unavailable
from grpc_service_kit.handlers import Handlers
from grpc_service_kit.health import Health
from grpc_service_kit.interceptors.admission import admit_calls
from grpc_service_kit.interceptors.auth import authenticate
from grpc_service_kit.interceptors.codec import convert_messages
from grpc_service_kit.interceptors.deadline import keep_deadlines
from grpc_service_kit.interceptors.errors import translate_errors
from grpc_service_kit.interceptors.half_close import tell_ends_apart
from grpc_service_kit.interceptors.instance import name_instance
from grpc_service_kit.interceptors.logging import log_calls
from grpc_service_kit.interceptors.metrics import count_calls
from grpc_service_kit.interceptors.request_id import name_requests
from grpc_service_kit.interceptors.validation import validate_requests
from grpc_service_kit.logs import of_calls
from grpc_service_kit.metrics_page import MetricsPage
from grpc_service_kit.options import channel_arguments
from grpc_service_kit.ports import listen
from grpc_service_kit.service import Service, register
from grpc_service_kit.termination import SIGNALS, exit_within
from grpc_service_kit.tls import server_credentials
from grpc_service_kit.tracing import export_rest, tracer_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_FAREWELL_SECONDS = 1.0
"""The last part of draining, in which calls that are cut off get their status."""

_LEAST_EXPORT_SECONDS = 0.2
_MOST_EXPORT_SECONDS = 5.0

logger = logging.getLogger(__name__)


def build_server(
    config: ServerConfig,
    *services: Service,
    interceptors: Sequence[Interceptor] = (),
    registry: CollectorRegistry = REGISTRY,
) -> Server:
    """Build a server that is ready to start. Needs a running event loop.

    Args:
        config: Its settings.
        services: At least one; each name once.
        interceptors: More of them, which run inside the kit's own.
        registry: Where the metrics are registered and what /metrics serves.

    Raises:
        RegistrationError: There is no service, one twice, or one with a method that is not async.
        ConfigError: Something that is configured is not installed or not usable.
    """
    spans = None if config.tracing is None else tracer_provider(config.tracing)
    handlers = Handlers((*_chain(config, registry, spans), *interceptors))
    server = Server(config, handlers, registry, spans)
    for name, check in register(services, handlers).items():
        server.health.watch(name, check)
    built_in = [Service(health_pb2_grpc.add_HealthServicer_to_server, server.health)]
    if config.reflection:
        built_in.append(_reflection((*handlers.services, health.SERVICE_NAME)))
    register(built_in, handlers, infrastructure=True)
    _check_public_methods(config, handlers)
    return server


def _chain(
    config: ServerConfig, registry: CollectorRegistry, spans: TracerProvider | None
) -> tuple[Interceptor, ...]:
    # Outermost first: what is written and counted is what the error table decided.
    return (
        name_requests,
        log_calls(of_calls()),
        count_calls(registry),
        *(() if spans is None else (_traced(spans),)),
        *((name_instance(config.instance),) if config.instance_metadata else ()),
        translate_errors,
        admit_calls(config.max_concurrent_calls),
        authenticate(config.auth),
        keep_deadlines(config.default_deadline_seconds),
        convert_messages,
        tell_ends_apart,
        validate_requests,
    )


def _reflection(names: tuple[str, ...]) -> Service:
    # Imported here, as it takes 4 MiB: descriptors of descriptors.
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc  # noqa: PLC0415

    servicer = reflection.aio.ReflectionServicer((*names, reflection.SERVICE_NAME))
    return Service(reflection_pb2_grpc.add_ServerReflectionServicer_to_server, servicer)


def _traced(spans: TracerProvider) -> Interceptor:
    # Imported here: OpenTelemetry looks through every installed package for its plugins.
    from grpc_service_kit.interceptors.tracing import trace_calls  # noqa: PLC0415

    return trace_calls(spans)


def _check_public_methods(config: ServerConfig, handlers: Handlers) -> None:
    known = handlers.methods | {f"{service}/*" for service in handlers.services}
    unknown = () if config.auth is None else sorted(config.auth.public_methods - known)
    if unknown:
        raise ConfigError(
            f"AUTH_PUBLIC_METHODS: {', '.join(unknown)}: this server has no such method; it has"
            f" {', '.join(sorted(handlers.methods))}"
        )


class Server:
    """One gRPC server with its health service and its metrics page."""

    def __init__(
        self,
        config: ServerConfig,
        handlers: Handlers,
        registry: CollectorRegistry,
        spans: TracerProvider | None,
    ) -> None:
        """Use `build_server`."""
        self.health = Health(config.health_check_seconds)
        self._config = config
        self._handlers = handlers
        self._grpc = grpc.aio.server(options=channel_arguments(config))
        self._grpc.add_generic_rpc_handlers((handlers,))
        self._metrics = MetricsPage(registry)
        self._spans = spans
        self.port = 0
        """Where it listens, once it has started."""
        self.metrics_port: int | None = None
        """Where /metrics is, once it has started; None when there is none."""

    async def start(self) -> int:
        """Listen and serve; return the port. Raise ListenError when a port is taken."""
        config = self._config
        credentials = None if config.tls is None else server_credentials(config.tls)
        self.port = listen(self._grpc, config.port, credentials)
        if config.metrics_port is not None:
            self.metrics_port = self._metrics.start(
                config.metrics_port, required=config.metrics_port_is_set
            )
            logger.info("serving metrics on port %d", self.metrics_port)
        await self.health.start()
        await self._grpc.start()
        logger.info("serving on port %d", self.port)
        return self.port

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain; the process ends within `drain_seconds`."""
        if not self.port:
            await self.start()  # Until it has, there is nothing to drain.
        stop = asyncio.Event()

        def end() -> None:
            if not stop.is_set():
                stop.set()
                exit_within(self._config.drain_seconds)

        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, end)
        await self.serve_until(stop)

    async def serve_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain."""
        if not self.port:
            await self.start()
        await stop.wait()
        await self.drain()

    async def drain(self) -> None:
        """End without losing a call.

        Health turns to NOT_SERVING at once; calls are still served while clients and load balancers
        notice; then clients are asked to leave (GOAWAY) and running calls get the rest of the time.
        """
        config = self._config
        lame_duck = min(config.lame_duck_seconds, config.drain_seconds / 2)
        grace = config.drain_seconds - lame_duck
        logger.info(
            "draining: NOT_SERVING, serving for %gs more, then up to %gs for running calls",
            lame_duck,
            grace,
        )
        self._handlers.draining.set()
        await self.health.drain()
        await asyncio.sleep(lame_duck)
        await self.stop(grace)

    async def stop(self, grace: float = 0.0) -> None:
        """Take no new calls; end those that run with UNAVAILABLE after `grace` seconds."""
        self._handlers.draining.set()
        self.health.end()
        loop, grace = asyncio.get_running_loop(), max(grace, _FAREWELL_SECONDS)
        end = loop.time() + grace
        farewell = loop.call_later(grace - _FAREWELL_SECONDS, self._end_calls)
        await self._grpc.stop(grace)
        farewell.cancel()
        await asyncio.gather(asyncio.to_thread(self._metrics.stop), self._export_rest(end))
        logger.info("stopped")

    async def _export_rest(self, end: float) -> None:
        """Export what is left of the spans in half of the time that is left of the drain."""
        if self._spans is not None:
            left = (end - asyncio.get_running_loop().time()) / 2
            await export_rest(
                self._spans, max(min(left, _MOST_EXPORT_SECONDS), _LEAST_EXPORT_SECONDS)
            )

    def _end_calls(self) -> None:
        for task, call in tuple(self._handlers.live.items()):
            call.ended_by = Unavailable("the server ends; call again, another one answers")
            task.cancel()
