"""Real servers for the tests: in this process on a free port, or as a process of their own."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import grpc
import pytest

from user.v1 import user_pb2, user_pb2_grpc
from user_processes import ServerProcess, environment
from user_service.config import Config
from user_service.server import UserServer, build_server
from user_service.store import UserStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[UserStore]:
    async with UserStore.open(str(tmp_path / "users.db")) as store:
        yield store


@pytest.fixture
async def server(store: UserStore) -> AsyncIterator[UserServer]:
    config = Config(port=0, instance_metadata=True, instance="pod-0")
    server = await build_server(config, store)
    await server.grpc.start()
    yield server
    await server.grpc.stop(None)


@pytest.fixture
async def channel(server: UserServer) -> AsyncIterator[grpc.aio.Channel]:
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
    """Start server processes; the arguments are environment variables."""
    with ExitStack() as stack:
        numbers = count()

        def start(**variables: str) -> ServerProcess:
            path = tmp_path / f"server-{next(numbers)}"
            defaults = {"PORT": "0", "DATABASE_PATH": f"{path}.db"}
            log = path.with_suffix(".log")
            process = subprocess.Popen(
                [sys.executable, "-m", "user_service"],
                env=environment(**{**defaults, **variables}),
                stderr=stack.enter_context(log.open("wb")),
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return ServerProcess(process, log)

        yield start
