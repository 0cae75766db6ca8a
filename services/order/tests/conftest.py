"""Real databases and real services for the tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from sqlalchemy import URL

from grpc_service_kit.sql import Limits, Schema
from grpc_service_kit.testing.processes import server_processes
from order_processes import Restartable, Start
from order_service.store import SCHEMA, OrderStore
from order_world import Others, World, world_with


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures of the databases."""
    config.pluginmanager.import_plugin("grpc_service_kit.testing.databases")


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


@pytest.fixture
async def any_store(url: URL) -> AsyncIterator[OrderStore]:
    """A store over each of the databases in turn."""
    async with OrderStore.open(url, Limits()) as store:
        yield store


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts order services; the keywords are environment variables."""
    with server_processes("order_service", tmp_path_factory.mktemp("order")) as start:
        yield start


@pytest.fixture(scope="session")
def others(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Others]:
    """A user and a product service for all tests; whoever kills one starts it again."""
    with ExitStack() as stack:

        def run(name: str) -> Restartable:
            directory = tmp_path_factory.mktemp(name)
            processes = server_processes(f"{name}_service", directory)
            return Restartable(stack.enter_context(processes), directory / f"{name}.db")

        yield Others(run("user"), run("product"), start)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(others: Others, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The order service, with the others beside it, for the tests of one module."""
    async with world_with(others, tmp_path_factory.mktemp("orders")) as world:
        yield world
