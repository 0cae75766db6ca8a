"""Waiting for what happens at its own pace."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 20.0
"""Seconds after which something that should have happened counts as a failure."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll a condition; raise AssertionError when it does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            raise AssertionError("the condition did not become true in time")
        time.sleep(0.02)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Ask until the answer is yes; raise TimeoutError after that many seconds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 what servers see has no event
            await asyncio.sleep(0.01)
