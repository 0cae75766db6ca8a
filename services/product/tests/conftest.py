"""Real servers and real databases for the tests of the product service."""

from collections.abc import AsyncIterator

import grpc
import pytest
from sqlalchemy import URL

from grpc_service_kit.server import Server
from grpc_service_kit.sql import Schema
from product.v1 import product_pb2, product_pb2_grpc
from product_goods import EUROS
from product_servers import connected, serving
from product_service.store import SCHEMA, ProductStore


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures of the databases."""
    config.pluginmanager.import_plugin("grpc_service_kit.testing.databases")


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


@pytest.fixture
async def any_store(url: URL) -> AsyncIterator[ProductStore]:
    """A store over each of the databases in turn."""
    async with ProductStore.open(url) as store:
        yield store


@pytest.fixture
async def server(sqlite_url: URL) -> AsyncIterator[Server]:
    """A server over SQLite."""
    async with serving(sqlite_url) as server:
        yield server


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server."""
    async with connected(server) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "product_pb2_grpc.ProductServiceAsyncStub":
    """The methods of the server."""
    return product_pb2_grpc.ProductServiceStub(channel)


@pytest.fixture
async def tea(stub: "product_pb2_grpc.ProductServiceAsyncStub") -> product_pb2.Product:
    """A product of which there are ten."""
    request = product_pb2.CreateProductRequest(name="tea", price=EUROS, stock_quantity=10)
    return (await stub.CreateProduct(request)).product
