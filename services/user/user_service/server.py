"""The gRPC server: which services and interceptors it has, and how it ends."""

import asyncio
import logging
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from user.v1 import user_pb2_grpc
from user_service.config import Config
from user_service.interceptors.errors import translate_errors
from user_service.interceptors.guard import Guard, GuardInterceptor
from user_service.interceptors.instance import name_instance
from user_service.interceptors.logging import log_calls
from user_service.servicer import SERVICE_NAME, UserServicer
from user_service.store import UserStore

_log = logging.getLogger(__name__)


class ListenError(Exception):
    """The port cannot be listened on."""


@dataclass(frozen=True)
class UserServer:
    """A server with its health service and the port it listens on."""

    grpc: grpc.aio.Server
    health: health.aio.HealthServicer
    port: int


async def build_server(config: Config, store: UserStore) -> UserServer:
    """Build a server that is ready to start; raise ListenError when the port is taken."""
    # Outermost first: the log sees the code that the error table chose.
    guards: tuple[Guard, ...] = (
        log_calls,
        *((name_instance(config.instance),) if config.instance_metadata else ()),
        translate_errors,
    )
    server = grpc.aio.server(
        interceptors=[GuardInterceptor(guard) for guard in guards],
        # Without this a second process could share the port and take half of the calls.
        options=[("grpc.so_reuseport", 0)],
    )
    user_pb2_grpc.add_UserServiceServicer_to_server(UserServicer(store), server)
    health_servicer = health.aio.HealthServicer()  # "" is SERVING from the start.
    await health_servicer.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if config.reflection:
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
    return UserServer(server, health_servicer, _listen(server, config.port))


async def drain(server: UserServer, config: Config) -> None:
    """End without losing a call.

    Health turns to NOT_SERVING at once; calls are still served while clients and load balancers
    notice; then no new ones are taken and the running ones get the grace period.
    """
    lame_duck = min(config.lame_duck_seconds, config.drain_seconds / 2)
    grace = config.drain_seconds - lame_duck
    _log.info(
        "draining: NOT_SERVING, serving for %gs more, then up to %gs for running calls",
        lame_duck,
        grace,
    )
    await server.health.enter_graceful_shutdown()
    await asyncio.sleep(lame_duck)
    await server.grpc.stop(grace)
    _log.info("stopped")


def _listen(server: grpc.aio.Server, port: int) -> int:
    try:
        return server.add_insecure_port(f"[::]:{port}")
    except RuntimeError as error:
        raise ListenError(f"PORT: cannot listen on {port}: {error}; choose a free port") from error
