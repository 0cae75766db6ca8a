"""ListUsers, BatchCreateUsers and SyncUsers over a real channel."""

from collections.abc import Iterable
from typing import TypeAlias

import grpc
import pytest

from user.v1 import user_pb2, user_pb2_grpc

Stub: TypeAlias = "user_pb2_grpc.UserServiceAsyncStub"
UNKNOWN = "123e4567-e89b-42d3-a456-426614174000"


def entries(count: int) -> list[user_pb2.CreateUserRequest]:
    return [user_pb2.CreateUserRequest(email=f"{n}@example.com", name=f"{n}") for n in range(count)]


async def page(stub: Stub, size: int = 0, token: str = "") -> tuple[list[user_pb2.User], str]:
    """Return the users of a page and the token of the next one."""
    call = stub.ListUsers(user_pb2.ListUsersRequest(page_size=size, page_token=token))
    users = [user async for user in call]
    return users, str(dict(await call.trailing_metadata()).get("next-page-token", ""))


async def sync(stub: Stub, users: Iterable[user_pb2.User]) -> list[user_pb2.SyncUsersResponse]:
    requests = [user_pb2.SyncUsersRequest(user=user) for user in users]
    return [answer async for answer in stub.SyncUsers(iter(requests))]


async def test_pages_of_120_users_hold_every_user_once_and_in_order(stub: Stub) -> None:
    created = (await stub.BatchCreateUsers(iter(entries(120)))).users
    sizes, seen, token = [], [], ""
    while True:
        users, token = await page(stub, token=token)
        sizes.append(len(users))
        seen += users
        if not token:
            break

    assert sizes == [50, 50, 20]
    assert seen == list(created)


async def test_a_page_token_stays_right_when_users_are_deleted_and_added(stub: Stub) -> None:
    created = (await stub.BatchCreateUsers(iter(entries(6)))).users
    first, token = await page(stub, 3)
    for user in (created[2], created[3]):
        await stub.DeleteUser(user_pb2.DeleteUserRequest(id=user.id))
    late = await stub.CreateUser(user_pb2.CreateUserRequest(email="late@example.com", name="Late"))

    rest, end = await page(stub, 10, token)

    assert first == list(created[:3])
    assert rest == [created[4], created[5], late.user]
    assert end == ""


async def test_a_page_that_is_just_full_is_the_last_one(stub: Stub) -> None:
    assert await page(stub) == ([], "")
    await stub.BatchCreateUsers(iter(entries(3)))
    users, token = await page(stub, 3)

    assert (len(users), token) == (3, "")


async def test_a_page_holds_at_most_1000_users(stub: Stub) -> None:
    await stub.BatchCreateUsers(iter(entries(1000)))
    await stub.CreateUser(user_pb2.CreateUserRequest(email="more@example.com", name="More"))
    users, token = await page(stub, 2_000_000_000)

    assert len(users) == 1000
    assert len((await page(stub, 0, token))[0]) == 1


@pytest.mark.parametrize("token", ["x", "!", "AAAA", "AAAAAAAAAAAAAAAA", "é"])
async def test_a_token_of_something_else_is_refused(stub: Stub, token: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="page_token: is not a token") as caught:
        await page(stub, 1, token)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_negative_page_size_is_refused(stub: Stub) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="page_size: -1 is negative") as caught:
        await page(stub, -1)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_batch_is_stored_in_order(stub: Stub) -> None:
    answer = await stub.BatchCreateUsers(iter(entries(3)))

    assert answer.created_count == 3
    assert [user.name for user in answer.users] == ["0", "1", "2"]
    assert (await page(stub))[0] == list(answer.users)


async def test_an_empty_batch_creates_nothing(stub: Stub) -> None:
    assert (await stub.BatchCreateUsers(iter(entries(0)))).created_count == 0


@pytest.mark.parametrize(
    ("bad", "code", "text"),
    [
        (
            user_pb2.CreateUserRequest(email="x", name="X"),
            "INVALID_ARGUMENT",
            "entry 2: email: 'x'",
        ),
        (
            user_pb2.CreateUserRequest(email="0@example.com", name="X"),
            "ALREADY_EXISTS",
            "entry 2: email: 0@example.com belongs to another user",
        ),
    ],
)
async def test_one_bad_entry_stops_the_whole_batch(
    stub: Stub, bad: user_pb2.CreateUserRequest, code: str, text: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.BatchCreateUsers(iter([*entries(2), bad]))

    assert caught.value.code().name == code
    assert (caught.value.details() or "").startswith(text)
    assert await page(stub) == ([], "")


async def test_a_batch_of_more_than_1000_is_refused(stub: Stub) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="more than 1000 entries") as caught:
        await stub.BatchCreateUsers(iter(entries(1001)))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await page(stub) == ([], "")


async def test_sync_says_what_it_did_with_each_user(stub: Stub, ada: user_pb2.User) -> None:
    by_id = user_pb2.User(id=ada.id, email=ada.email, name="Countess")
    by_email = user_pb2.User(email=ada.email, name="Countess")
    with_id = user_pb2.User(id=UNKNOWN, email="new@example.com", name="New")

    answers = await sync(stub, [ada, by_id, by_email, with_id])

    assert [answer.status for answer in answers] == [
        user_pb2.SYNC_STATUS_UNCHANGED,
        user_pb2.SYNC_STATUS_UPDATED,
        user_pb2.SYNC_STATUS_UNCHANGED,
        user_pb2.SYNC_STATUS_CREATED,
    ]
    assert answers[0].user == ada
    assert (answers[1].user.name, answers[1].user.role) == ("Countess", ada.role)
    assert (answers[3].user.id, answers[3].user.role) == (UNKNOWN, user_pb2.USER_ROLE_MEMBER)
    assert (await page(stub))[0] == [answers[1].user, answers[3].user]


async def test_sync_answers_each_message_before_the_next_one_is_sent(stub: Stub) -> None:
    call = stub.SyncUsers()
    for number in range(3):
        user = user_pb2.User(email=f"{number}@example.com", name="N")
        await call.write(user_pb2.SyncUsersRequest(user=user))
        answer = await call.read()
        assert isinstance(answer, user_pb2.SyncUsersResponse)
        assert answer.user.email == f"{number}@example.com"
    await call.done_writing()

    assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("bad", "code", "text"),
    [
        (user_pb2.SyncUsersRequest(), "INVALID_ARGUMENT", "entry 1: user: is missing"),
        (
            user_pb2.SyncUsersRequest(user=user_pb2.User(id="7")),
            "INVALID_ARGUMENT",
            "entry 1: id: '7' is not a UUID",
        ),
        (
            user_pb2.SyncUsersRequest(user=user_pb2.User(name="No address")),
            "INVALID_ARGUMENT",
            "entry 1: email: ''",
        ),
        (
            user_pb2.SyncUsersRequest(
                user=user_pb2.User(id=UNKNOWN, email="ada@example.com", name="Other")
            ),
            "ALREADY_EXISTS",
            "entry 1: email: ada@example.com belongs to another user",
        ),
    ],
)
async def test_sync_ends_at_a_bad_message_and_keeps_what_was_before(
    stub: Stub, ada: user_pb2.User, bad: user_pb2.SyncUsersRequest, code: str, text: str
) -> None:
    good = user_pb2.SyncUsersRequest(user=user_pb2.User(email="good@example.com", name="Good"))
    # Nothing is written after the bad message: grpc reports a write after the end as its own error.
    call = stub.SyncUsers()
    for request in (good, bad):
        await call.write(request)
    answer = await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()

    assert caught.value.code().name == code
    assert (caught.value.details() or "").startswith(text)
    assert isinstance(answer, user_pb2.SyncUsersResponse)
    assert answer.status == user_pb2.SYNC_STATUS_CREATED
    assert [user.email for user in (await page(stub))[0]] == [ada.email, "good@example.com"]
