"""An echo server and channels to it, for the tests of what calls carry."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest_asyncio

from grpc_service_kit.client import ClientOptions, connect
from kit_client_servers import Connect, Echo, serving


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[Echo]:
    async with serving(Echo("a")) as server:
        yield server


@pytest_asyncio.fixture
async def client(echo: Echo) -> AsyncIterator[Connect]:
    """Channels to the echo; ClientOptions by name."""
    async with AsyncExitStack() as stack:

        async def close(channel: grpc.aio.Channel) -> None:
            await channel.close()

        def make(**options: Any) -> grpc.aio.Channel:
            channel = connect(echo.target, ClientOptions(**options))
            stack.push_async_callback(close, channel)
            return channel

        yield make
