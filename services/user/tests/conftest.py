"""Real servers for the tests: in this process on a free port, or as a process of their own."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import grpc
import pytest
from sqlalchemy import URL

from grpc_service_kit import Server
from grpc_service_kit.sql import Schema
from grpc_service_kit.testing.processes import ServerProcess, server_processes
from user.v1 import user_pb2, user_pb2_grpc
from user_servers import serving
from user_service.store import SCHEMA, UserStore


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
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "user_pb2_grpc.UserServiceAsyncStub":
    return user_pb2_grpc.UserServiceStub(channel)


@pytest.fixture
async def ada(stub: "user_pb2_grpc.UserServiceAsyncStub") -> user_pb2.User:
    request = user_pb2.CreateUserRequest(
        email="ada@example.com", name="Ada", role=user_pb2.USER_ROLE_ADMIN
    )
    return (await stub.CreateUser(request)).user


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start server processes, each with a file of its own; the arguments are variables."""
    numbers = count()
    with server_processes("user_service", tmp_path) as start_process:

        def start(**variables: str) -> ServerProcess:
            path = str(tmp_path / f"{next(numbers)}.db")
            return start_process(**{"DATABASE_PATH": path, **variables})

        yield start
