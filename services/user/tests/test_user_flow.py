"""SyncUsers and the pace of its two ends: nothing is read ahead, and no answer piles up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest

from grpc_service_kit import Server
from grpc_service_kit.testing.polling import TIMEOUT
from user.v1 import user_pb2, user_pb2_grpc
from user_people import every_user
from user_service.servicer import UserServicer
from user_service.store import UserStore

NAME = "\U0001f600" * 200
"""800 bytes, so that few answers fill a window of 64 KiB."""
WINDOW = 2 * 64 * 1024 // len(NAME.encode())
"""Answers on their way: one window in the network's buffers and one in those of grpc."""


def request(number: int) -> user_pb2.SyncUsersRequest:
    return user_pb2.SyncUsersRequest(user=user_pb2.User(email=f"{number}@example.com", name=NAME))


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


@pytest.mark.timeout(300)
async def test_a_client_that_does_not_read_stops_the_server(
    server: Server, store: UserStore
) -> None:
    """What is stored and not yet read fits into the window of the client's HTTP/2 stream.

    What is sent and not yet stored fits into the server's window, which grpc lets grow to some MiB.
    """
    # Without the probe the client's window keeps its size of 64 KiB.
    options = [("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options) as channel:
        call = user_pb2_grpc.UserServiceStub(channel).SyncUsers()
        written = 0

        async def write() -> None:
            nonlocal written
            while True:
                await call.write(request(written))
                written += 1

        writing = asyncio.create_task(write())
        read = 0
        for amount in (0, 100, 300):
            for _ in range(amount):
                answer = await call.read()
                assert isinstance(answer, user_pb2.SyncUsersResponse)
                assert answer.user.email == f"{read}@example.com"
                read += 1
            stored = await _when_it_stays_the_same(store, above=read)
            assert read < stored <= read + WINDOW
            assert written * len(NAME.encode()) < 16 << 20
        writing.cancel()
        call.cancel()


async def _when_it_stays_the_same(store: UserStore, above: int) -> int:
    """Return the number of users once it is above another one and has not changed for 2 seconds."""
    count, since = 0, 0.0
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(5 * TIMEOUT):
        while count <= above or clock() < since + 2:
            now = len(await every_user(store))
            if now != count:
                count, since = now, clock()
            await asyncio.sleep(0.1)
    return count
