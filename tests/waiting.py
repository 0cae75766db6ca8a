"""Waiting for what happens at its own pace: no test depends on how fast a machine is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

HANG = 120.0
"""Seconds after which what has not happened never will; ends tests that would hang, no others."""


def wait_until(
    predicate: Callable[[], T | None], what: str, *, seconds: float = HANG, every: float = 0.05
) -> T:
    """Returns the first true value of the predicate.

    Args:
        predicate: An AssertionError in it means "not yet".
        what: Completes "waited ... s until".
        seconds: The limit, for what takes long by its nature.
        every: Seconds between two calls.

    Raises:
        AssertionError: It did not become true; has the last value or assertion.
    """
    deadline = time.monotonic() + seconds
    while True:
        last: object
        try:
            value = predicate()
        except AssertionError as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s until {what}; at last: {last}")
        time.sleep(every)


async def until(check: Callable[[], Awaitable[T]], what: str) -> T:
    """Returns the first true value of ``check``, called every 10 ms.

    Raises:
        AssertionError: It did not become true; has the last value.
    """
    deadline = time.monotonic() + HANG
    while not (value := await check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {HANG:g} s until {what}; at last: {value!r}")
        await asyncio.sleep(0.01)
    return value


def holds_for(predicate: Callable[[], bool], seconds: float, what: str) -> None:
    """Checks that something stays true.

    Raises:
        AssertionError: It became false.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert predicate(), what
        time.sleep(0.05)
