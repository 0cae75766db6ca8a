"""GetUser, CreateUser, UpdateUser, DeleteUser, health and reflection over a real channel."""

import uuid
from collections.abc import Awaitable
from typing import Any, TypeAlias

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from user.v1 import user_pb2, user_pb2_grpc

Stub: TypeAlias = "user_pb2_grpc.UserServiceAsyncStub"
UNKNOWN = "123e4567-e89b-42d3-a456-426614174000"


async def refused(call: Awaitable[Any]) -> tuple[str, str]:
    """Return the status code and text of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, caught.value.details() or ""


async def test_a_created_user_can_be_read(stub: Stub, ada: user_pb2.User) -> None:
    answer = await stub.GetUser(user_pb2.GetUserRequest(id=ada.id))

    assert answer.user == ada
    assert (ada.email, ada.name, ada.role) == ("ada@example.com", "Ada", user_pb2.USER_ROLE_ADMIN)
    assert str(uuid.UUID(ada.id)) == ada.id
    assert ada.created_at == ada.updated_at
    assert ada.created_at.seconds > 0


async def test_a_user_without_role_becomes_a_member(stub: Stub) -> None:
    answer = await stub.CreateUser(user_pb2.CreateUserRequest(email="a@b", name="A"))

    assert answer.user.role == user_pb2.USER_ROLE_MEMBER


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (user_pb2.CreateUserRequest(name="A"), "email: '' is not an e-mail address; send one"),
        (user_pb2.CreateUserRequest(email="a b@c", name="A"), "email: 'a b@c' is not"),
        (user_pb2.CreateUserRequest(email=f"{'a' * 253}@b", name="A"), "email: has 255 characters"),
        (user_pb2.CreateUserRequest(email="a@b"), "name: has 0 visible characters; send 1 to 200"),
        (user_pb2.CreateUserRequest(email="a@b", name="A" * 201), "name: has 201 visible"),
        (user_pb2.CreateUserRequest(email="a@b", name="A\nB"), "name: 'A\\nB' has control"),
        (
            user_pb2.CreateUserRequest(email="a@b", name="A", role=user_pb2.UserRole.ValueType(9)),
            "role: 9 is not a role; send ",
        ),
    ],
)
async def test_create_names_the_field_and_the_fix(
    stub: Stub, request_: user_pb2.CreateUserRequest, text: str
) -> None:
    code, details = await refused(stub.CreateUser(request_))

    assert code == "INVALID_ARGUMENT"
    assert details.startswith(text)


async def test_an_email_address_is_used_once_whatever_its_case(
    stub: Stub, ada: user_pb2.User
) -> None:
    code, details = await refused(
        stub.CreateUser(user_pb2.CreateUserRequest(email="ADA@example.com", name="Other"))
    )

    assert code == "ALREADY_EXISTS"
    assert details.startswith("email: ADA@example.com belongs to another user")


async def test_update_changes_the_fields_that_are_present(stub: Stub, ada: user_pb2.User) -> None:
    answer = await stub.UpdateUser(user_pb2.UpdateUserRequest(id=ada.id, name="Ada Lovelace"))

    assert answer.user.name == "Ada Lovelace"
    assert (answer.user.email, answer.user.role) == (ada.email, ada.role)
    assert answer.user.created_at == ada.created_at
    assert answer.user.updated_at.ToNanoseconds() > ada.updated_at.ToNanoseconds()
    assert (await stub.GetUser(user_pb2.GetUserRequest(id=ada.id))).user == answer.user


async def test_update_without_a_change_returns_the_user_as_it_is(
    stub: Stub, ada: user_pb2.User
) -> None:
    for request in (
        user_pb2.UpdateUserRequest(id=ada.id),
        user_pb2.UpdateUserRequest(id=ada.id, name=ada.name, role=ada.role),
    ):
        assert (await stub.UpdateUser(request)).user == ada


async def test_update_refuses_a_present_but_empty_field(stub: Stub, ada: user_pb2.User) -> None:
    request = user_pb2.UpdateUserRequest(id=ada.id, name="")
    assert (await refused(stub.UpdateUser(request)))[0] == "INVALID_ARGUMENT"

    request = user_pb2.UpdateUserRequest(id=ada.id, role=user_pb2.USER_ROLE_UNSPECIFIED)
    code, details = await refused(stub.UpdateUser(request))
    assert code == "INVALID_ARGUMENT"
    assert details == "role: 0 is not a role; send USER_ROLE_ADMIN or USER_ROLE_MEMBER"


async def test_update_refuses_the_email_address_of_another_user(
    stub: Stub, ada: user_pb2.User
) -> None:
    await stub.CreateUser(user_pb2.CreateUserRequest(email="grace@example.com", name="Grace"))
    request = user_pb2.UpdateUserRequest(id=ada.id, email="grace@example.com")

    assert (await refused(stub.UpdateUser(request)))[0] == "ALREADY_EXISTS"
    assert (await stub.GetUser(user_pb2.GetUserRequest(id=ada.id))).user == ada


async def test_a_deleted_user_is_gone(stub: Stub, ada: user_pb2.User) -> None:
    await stub.DeleteUser(user_pb2.DeleteUserRequest(id=ada.id))

    code, details = await refused(stub.GetUser(user_pb2.GetUserRequest(id=ada.id)))
    assert (code, details) == ("NOT_FOUND", f"id: no user has the id {ada.id}")


async def test_methods_on_an_unknown_user_answer_not_found(stub: Stub) -> None:
    for call in (
        stub.GetUser(user_pb2.GetUserRequest(id=UNKNOWN)),
        stub.UpdateUser(user_pb2.UpdateUserRequest(id=UNKNOWN, name="A")),
        stub.DeleteUser(user_pb2.DeleteUserRequest(id=UNKNOWN)),
    ):
        code, details = await refused(call)
        assert (code, UNKNOWN in details) == ("NOT_FOUND", True)


async def test_an_id_that_is_no_uuid_is_refused_and_its_quote_is_short(stub: Stub) -> None:
    for call in (
        stub.GetUser(user_pb2.GetUserRequest(id="x" * 100_000)),
        stub.UpdateUser(user_pb2.UpdateUserRequest(id="x" * 100_000)),
        stub.DeleteUser(user_pb2.DeleteUserRequest(id="x" * 100_000)),
    ):
        code, details = await refused(call)
        assert code == "INVALID_ARGUMENT"
        assert details.startswith("id: 'xxx")
        assert "is not a UUID" in details
        assert len(details) < 300


async def test_an_id_may_be_spelled_in_upper_case(stub: Stub, ada: user_pb2.User) -> None:
    assert (await stub.GetUser(user_pb2.GetUserRequest(id=ada.id.upper()))).user == ada


async def test_health_knows_the_server_and_the_service(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", "user.v1.UserService"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    code, _ = await refused(health.Check(health_pb2.HealthCheckRequest(service="other")))
    assert code == "NOT_FOUND"


async def test_reflection_lists_the_services(channel: grpc.aio.Channel) -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]

    names = {service.name for service in answers[0].list_services_response.service}
    assert {"user.v1.UserService", "grpc.health.v1.Health"} <= names
