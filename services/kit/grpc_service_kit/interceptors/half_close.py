"""A stream of requests ends when the client says so, and not when its connection breaks.

grpc.aio gives both the same end of stream; that the call is cancelled comes a moment later. A
handler that stores what it got would take half a batch for the whole of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from grpc_service_kit.call import Call, Method, Proceed

_MOMENT = 0.002
"""Seconds in which the news of a broken connection comes, unless the machine is overloaded."""


def tell_ends_apart(method: Method, proceed: Proceed) -> Proceed:
    """Let handlers see the end of the requests only when it is one."""
    if not method.request_streaming:
        return proceed

    async def call(call: Call, _requests: Any) -> Any:
        context: Any = StreamContext(call.context)
        call.context = context
        return await proceed(call, requests_of(context))

    return call


async def requests_of(context: Any) -> AsyncIterator[Any]:
    """Yield what a context reads."""
    while (request := await context.read()) is not grpc.aio.EOF:
        yield request


class StreamContext:
    """gRPC's context with a `read` of its own."""

    def __init__(self, context: Any) -> None:
        """Read from `context`; everything else is its own."""
        self._context = context

    def __getattr__(self, name: str) -> Any:
        """Return what gRPC's context has."""
        return getattr(self._context, name)

    async def read(self) -> Any:
        """Return the next request, or EOF; raise when the connection is broken."""
        request = await self._context.read()
        if request is grpc.aio.EOF:
            await self.confirm_end()
        return request

    async def confirm_end(self) -> None:
        """Raise when the end of the requests is that of the connection."""
        try:
            # Sending fails when the connection is gone; there is nothing else to ask gRPC.
            await self._context.send_initial_metadata(())
        except grpc.aio.UsageError:  # The handler has answered already.
            await asyncio.sleep(_MOMENT)
