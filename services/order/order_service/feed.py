"""Feed: the events of orders as they happen, whichever process wrote them.

One task of the process reads the number of the last event, and wakes the watchers when it has
grown: the database has one short query per period to answer, however many watch. Each watcher then
reads what it has not seen yet, so it depends on no message that could get lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from grpc_service_kit import context
from grpc_service_kit.background import repeat
from grpc_service_kit.errors import Unavailable
from order_service.domain import Event
from order_service.store import OrderStore

_PAGE = 100
"""Events read at once: what a watcher that is slow to receive keeps in memory."""
_RETRY_SECONDS = 1.0


class Feed:
    """Events for any number of watchers."""

    def __init__(self, store: OrderStore, pause_seconds: float) -> None:
        """Read new events every `pause_seconds`."""
        self._store = store
        self._pause = pause_seconds
        self._last = 0
        self._news = asyncio.Event()
        """Set, and replaced by a new one, when there are events after `_last`."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read new events in the background."""
        task = asyncio.create_task(repeat(self._look, self._pause, "watch"))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def events(self, after: int, user_id: str) -> AsyncGenerator[Event, None]:
        """Yield every event after a sequence number, of one user or (empty) of all.

        Ends with Unavailable when the server that serves the call drains.
        """
        draining = context.draining.get() or asyncio.Event()
        while True:
            news = self._news  # Before reading: what is written after that sets it.
            page = await self._store.events(after, user_id, _PAGE)
            for event in page:
                yield event
                after = event.sequence
            if draining.is_set():
                problem = f"the server shuts down; watch again with after_sequence {after}"
                raise Unavailable(problem).retry_after(_RETRY_SECONDS)
            if len(page) < _PAGE:
                await _first_of(news, draining)

    async def _look(self) -> None:
        last = await self._store.last_sequence()
        if last > self._last:
            self._last = last
            self._news.set()
            self._news = asyncio.Event()


async def _first_of(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
