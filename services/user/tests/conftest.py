"""Real servers for the tests: in this process on a free port, or as a process of their own."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL

from grpc_service_kit import Server
from grpc_service_kit.sql import Schema
from grpc_service_kit.testing.processes import ServerProcess, server_processes
from user_contract.fixtures import ada, channel, stub
from user_servers import serving
from user_service.store import SCHEMA, UserStore

__all__ = ["ada", "channel", "stub"]


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures of the databases."""
    config.pluginmanager.import_plugin("grpc_service_kit.testing.databases")


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


@pytest.fixture
async def any_store(url: URL) -> AsyncIterator[UserStore]:
    """A store over each of the databases in turn."""
    async with UserStore.open(url) as store:
        yield store


@pytest.fixture
async def store(sqlite_url: URL) -> AsyncIterator[UserStore]:
    async with UserStore.open(sqlite_url) as store:
        yield store


@pytest.fixture
async def server(store: UserStore) -> AsyncIterator[Server]:
    async with serving(store) as server:
        yield server


@pytest.fixture
def target(server: Server) -> str:
    return f"127.0.0.1:{server.port}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start server processes, each with a file of its own; the arguments are variables."""
    numbers = count()
    with server_processes("user_service", tmp_path) as start_process:

        def start(**variables: str) -> ServerProcess:
            path = str(tmp_path / f"{next(numbers)}.db")
            return start_process(**{"DATABASE_PATH": path, **variables})

        yield start
