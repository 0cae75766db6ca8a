"""Waiting for something to come true, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


async def until(check: Callable[[], Awaitable[T]], what: str, seconds: float = 20) -> T:
    """Returns the first true value of ``check``; fails the test when none comes in time.

    Args:
        check: Called every 10 ms.
        what: What is waited for, for the failure's text.
        seconds: The limit.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = await check()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}; last seen: {value!r}")
        await asyncio.sleep(0.01)
