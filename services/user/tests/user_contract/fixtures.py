"""How the suite calls the server at `target`."""

from collections.abc import AsyncIterator

import grpc
import pytest

from user.v1 import user_pb2, user_pb2_grpc


@pytest.fixture
async def channel(target: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(target) as channel:
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
