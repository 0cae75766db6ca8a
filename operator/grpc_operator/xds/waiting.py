"""How the stream of a proxy waits for something to do."""

import asyncio
from math import inf

CHECK_SECONDS = 5.0
"""Seconds between two checks of whether a stream must end."""


async def woken(event: asyncio.Event, deadline: float | None) -> None:
    """Waits for an event, until a deadline, or until the stream is to be checked.

    Args:
        event: Set when there is something to do.
        deadline: On the event loop's clock.
    """
    try:
        async with asyncio.timeout_at(min(deadline or inf, now() + CHECK_SECONDS)):
            await event.wait()
    except TimeoutError:
        return


def now() -> float:
    """Returns the time of the event loop's clock in seconds."""
    return asyncio.get_running_loop().time()
