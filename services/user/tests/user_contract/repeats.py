"""Request ids: a create that is sent again gets its first answer."""

from typing import TypeAlias

import grpc
import pytest

from user.v1 import user_pb2, user_pb2_grpc

Stub: TypeAlias = "user_pb2_grpc.UserServiceAsyncStub"
ID = "123e4567-e89b-42d3-a456-426614174000"


async def test_a_request_id_makes_a_create_safe_to_repeat(stub: Stub) -> None:
    request = user_pb2.CreateUserRequest(email="ada@example.com", name="Ada", request_id=ID)
    first = await stub.CreateUser(request)
    request.request_id = ID.upper()
    request.role = user_pb2.USER_ROLE_MEMBER  # What no role means.

    assert await stub.CreateUser(request) == first


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (
            user_pb2.CreateUserRequest(email="a@b", name="Other", request_id=ID),
            grpc.StatusCode.ALREADY_EXISTS,
            f"request_id: {ID} was used to create another user; send a new UUID for each user",
        ),
        (
            user_pb2.CreateUserRequest(email="a@b", name="A", request_id="7"),
            grpc.StatusCode.INVALID_ARGUMENT,
            (
                "request_id: '7' is not a UUID; send a new random one for each user to create,"
                " such as 123e4567-e89b-42d3-a456-426614174000"
            ),
        ),
    ],
)
async def test_a_wrong_request_id_says_what_to_do(
    stub: Stub, request_: user_pb2.CreateUserRequest, code: grpc.StatusCode, text: str
) -> None:
    await stub.CreateUser(user_pb2.CreateUserRequest(email="a@b", name="A", request_id=ID))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.CreateUser(request_)

    assert (caught.value.code(), caught.value.details()) == (code, text)


async def test_a_batch_has_each_request_id_once(stub: Stub) -> None:
    entries = [
        user_pb2.CreateUserRequest(email=f"{n}@b", name="A", request_id=ID) for n in range(2)
    ]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.BatchCreateUsers(iter(entries))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(
        f"entry 1: request_id: {ID} is that of entry 0"
    )
