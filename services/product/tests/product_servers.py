"""A real server on a free port, and a channel to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from prometheus_client import CollectorRegistry
from sqlalchemy import URL

from grpc_service_kit import ServerConfig, Service, build_server
from grpc_service_kit.server import Server
from product.v1 import product_pb2_grpc
from product_service.servicer import ProductServicer
from product_service.store import ProductStore
from product_service.watch import StockWatch


@asynccontextmanager
async def serving(url: URL) -> AsyncIterator[Server]:
    """Serve the products of a database, in a process that has other servers too."""
    config = ServerConfig(port=0, metrics_port=None, drain_seconds=0.0, health_check_seconds=0.1)
    async with ProductStore.open(url) as store:
        watch = StockWatch(store, pause_seconds=0.05)
        service = Service(
            product_pb2_grpc.add_ProductServiceServicer_to_server,
            ProductServicer(store, watch),
            store.check,
        )
        server = build_server(config, service, registry=CollectorRegistry())
        await server.start()
        try:
            async with watch.running():
                yield server
        finally:
            await server.stop()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """Connect to it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel
