"""The pace of SyncUsers: no answers pile up in the server."""

import asyncio
from typing import TypeAlias

import grpc
import pytest

from grpc_service_kit.testing.polling import TIMEOUT
from user.v1 import user_pb2, user_pb2_grpc

Stub: TypeAlias = "user_pb2_grpc.UserServiceAsyncStub"
NAME = "\U0001f600" * 200
"""800 bytes, so that few answers fill a window of 64 KiB."""
WINDOW = 4 * 64 * 1024 // len(NAME.encode())
"""Answers on their way: one window in the network's buffers and one in those of grpc; and as much
again, because grpc grants more while it reads a message. A server without flow control has
thousands."""


@pytest.mark.timeout(300)
async def test_a_client_that_does_not_read_stops_the_server(target: str, stub: Stub) -> None:
    """What is stored and not yet read fits into the window of the client's HTTP/2 stream.

    What is sent and not yet stored fits into the server's window, which grpc lets grow to some MiB.
    """
    # Without the probe the client's window keeps its size of 64 KiB.
    options = [("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(target, options) as channel:
        call = user_pb2_grpc.UserServiceStub(channel).SyncUsers()
        written = 0

        async def write() -> None:
            nonlocal written
            while True:
                user = user_pb2.User(email=f"{written}@example.com", name=NAME)
                await call.write(user_pb2.SyncUsersRequest(user=user))
                written += 1

        writing = asyncio.create_task(write())
        read = 0
        for amount in (0, 100, 300):
            for _ in range(amount):
                answer = await call.read()
                assert isinstance(answer, user_pb2.SyncUsersResponse)
                assert answer.user.email == f"{read}@example.com"
                read += 1
            stored = await _when_it_stays_the_same(stub, above=read)
            assert read < stored <= read + WINDOW
            assert written * len(NAME.encode()) < 16 << 20
        writing.cancel()
        call.cancel()


async def _when_it_stays_the_same(stub: Stub, above: int) -> int:
    """Return the number of users once it is above another one and has not changed for 2 seconds."""
    count, since = 0, 0.0
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(5 * TIMEOUT):
        while count <= above or clock() < since + 2:
            page = stub.ListUsers(user_pb2.ListUsersRequest(page_size=1000))
            now = len([user async for user in page])
            if now != count:
                count, since = now, clock()
            await asyncio.sleep(0.1)
    return count
