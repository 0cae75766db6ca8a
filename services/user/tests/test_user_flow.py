"""SyncUsers: nothing is read ahead."""

from collections.abc import AsyncIterator
from typing import Any, cast

import grpc

from user.v1 import user_pb2
from user_people import every_user
from user_service.servicer import UserServicer
from user_service.store import UserStore


def request(number: int) -> user_pb2.SyncUsersRequest:
    return user_pb2.SyncUsersRequest(user=user_pb2.User(email=f"{number}@example.com", name="N"))


async def test_a_message_is_asked_for_when_the_one_before_is_stored_and_answered(
    store: UserStore,
) -> None:
    events = []

    async def requests() -> AsyncIterator[user_pb2.SyncUsersRequest]:
        for number in range(3):
            events.append(f"asked for {number} with {len(await every_user(store))} stored")
            yield request(number)

    context = cast("grpc.aio.ServicerContext[Any, Any]", None)  # SyncUsers does not use it.
    answers = aiter(UserServicer(store).SyncUsers(requests(), context))
    while answer := await anext(answers, None):
        events.append(f"answered {answer.user.email.partition('@')[0]}")

    assert events == [
        "asked for 0 with 0 stored",
        "answered 0",
        "asked for 1 with 1 stored",
        "answered 1",
        "asked for 2 with 2 stored",
        "answered 2",
    ]
