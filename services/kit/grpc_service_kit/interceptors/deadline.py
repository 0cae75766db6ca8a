"""Deadlines: no work for a call whose time is over, and an end for calls that brought no deadline.

gRPC itself cancels a call when its deadline passes (the handler sees asyncio.CancelledError).
"""

import asyncio
import time
from typing import Any

from grpc_service_kit import context
from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.errors import DeadlineExceeded


def keep_deadlines(default_seconds: float | None) -> Interceptor:
    """Return the interceptor that keeps deadlines.

    Args:
        default_seconds: For unary calls of the application without a deadline; None leaves them
            without. Streams may last as long as they like.
    """

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        own = None if method.streaming or method.infrastructure else default_seconds

        async def call(call: Call, request: Any) -> Any:
            remaining = call.context.time_remaining()
            if remaining is None:
                if own is None:
                    return await proceed(call, request)
                return await _within(own, call, request, proceed)
            if remaining <= 0:  # It has waited too long for its turn.
                raise DeadlineExceeded("the deadline passed before the server began")
            context.deadline.set(time.monotonic() + remaining)
            return await proceed(call, request)

        return call

    return interceptor


async def _within(seconds: float, call: Call, request: Any, proceed: Proceed) -> Any:
    context.deadline.set(time.monotonic() + seconds)
    try:
        async with asyncio.timeout(seconds) as timeout:
            return await proceed(call, request)
    except TimeoutError:
        if not timeout.expired():  # The handler's own.
            raise
        raise DeadlineExceeded(
            f"the server gives calls without a deadline {seconds:g} seconds; set a deadline"
        ) from None
