"""Waiting for what happens at its own pace."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self

TIMEOUT = 60.0
"""Seconds after which a test gives up. It only ends a hang: nothing that works takes that long."""


def wait_until(condition: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Poll a condition; raise AssertionError when it does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            raise AssertionError("the condition did not become true in time")
        time.sleep(0.02)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = TIMEOUT) -> None:
    """Poll a condition; raise TimeoutError when it does not hold in time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 what servers see has no event
            await asyncio.sleep(0.01)


class Attempt:
    """One attempt at something that must happen within some seconds; see `attempts`."""

    def __init__(self, seconds: float, *, last: bool) -> None:
        """Give it `seconds`; only the last attempt may raise."""
        self.seconds = seconds
        self.succeeded = False
        self._last = last

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        """Keep the error to itself when another attempt follows."""
        self.succeeded = error is None
        return isinstance(error, Exception) and not self._last


def attempts(*seconds: float) -> Iterator[Attempt]:
    """Make attempts with more time each time, until one succeeds; the last one must.

    For what cannot be waited for, because the time limit itself is what a test is about: a busy
    machine may be too slow for the first one.

        for attempt in attempts(0.3, 3, 30):
            with attempt:
                await call(timeout=attempt.seconds)
    """
    for some in seconds:
        attempt = Attempt(some, last=some == seconds[-1])
        yield attempt
        if attempt.succeeded:
            return
