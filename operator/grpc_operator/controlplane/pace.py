"""When the control plane builds, and who waits for a build."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

LONGEST_PAUSE = 0.2
"""Seconds from one build to the next at most, while there is more and more to build."""

GIVING_WAY = 0.03
"""Seconds that whoever is not in a hurry waits for a build at most."""


class Pace:
    """Builds follow changes at once, and each other with pauses."""

    def __init__(self) -> None:
        self._due = asyncio.Event()
        self._done = asyncio.Event()
        self._done.set()
        self._is_pausing = False

    def want(self) -> None:
        """There is something to build."""
        self._due.set()

    def taken(self) -> None:
        """All that there was to build is being built."""
        self._due.clear()

    async def builds(self) -> AsyncIterator[None]:
        """Yields whenever there is something to build.

        A build that follows another one waits for as long as that one took: while thousands of
        objects are written, it has more of them, and the event loop and the proxies get their turn.
        """
        while True:
            await self._due.wait()
            self._is_pausing = False
            self._done.clear()
            begin = time.monotonic()
            yield
            self._done.set()
            self._is_pausing = True
            await asyncio.sleep(min(time.monotonic() - begin, LONGEST_PAUSE))
            self._is_pausing = False

    async def give_way(self) -> None:
        """Waits for a build that is due or under way, for a moment at most.

        Proxies wait for their routes, and a reconcile that ran before would have to run again.
        """
        is_due = self._due.is_set() or not self._done.is_set()
        if self._is_pausing or not is_due:
            return
        self._done.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVING_WAY):
                await self._done.wait()
