"""A real server on a free port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from grpc_service_kit import Server, ServerConfig, Service, build_server
from user.v1 import user_pb2_grpc
from user_service.servicer import UserServicer
from user_service.store import UserStore


@asynccontextmanager
async def serving(store: UserStore) -> AsyncIterator[Server]:
    """Serve the users of a store, in a process that has other servers too."""
    config = ServerConfig(port=0, metrics_port=None, drain_seconds=0.0)
    service = Service(
        user_pb2_grpc.add_UserServiceServicer_to_server, UserServicer(store), store.check
    )
    server = build_server(config, service, registry=CollectorRegistry())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
