"""Fulfilment: does the steps of the saga, for the calls that are served and for what they left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from grpc_service_kit.background import repeat
from order_service.domain import Order
from order_service.saga import Answer, Outcome, Progress, Step, settle
from order_service.store import OrderStore

_AT_ONCE = 8
"""Orders that the recovery task of one process works on at the same time."""
_FAREWELL_SECONDS = 3.0

logger = logging.getLogger(__name__)


class Stock(Protocol):
    """What holds the stock of orders."""

    async def reserve(self, order: Order) -> Outcome:
        """Reserve the stock of an order; doing so again changes nothing."""

    async def release(self, order: Order) -> Outcome:
        """Give it back, and see to it that it is not reserved any more."""


class Fulfilment:
    """Brings orders to their end."""

    def __init__(self, store: OrderStore, stock: Stock, pause_seconds: float) -> None:
        """Find orders that are due every `pause_seconds`."""
        self._store = store
        self._stock = stock
        self._pause = pause_seconds
        self._steps: set[asyncio.Task[Order]] = set()

    async def advance(self, progress: Progress) -> Order:
        """Do the next step of an order that the caller has claimed; return the order after it.

        The step goes on when the caller is cancelled: the order exists, with or without it.
        """
        task = asyncio.create_task(self._step(progress))
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        task.add_done_callback(_retrieve_error)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Recover orders in the background; at the end, wait for the steps in flight."""
        recovery = asyncio.create_task(repeat(self._recover, self._pause, "recovery"))
        try:
            yield
        finally:
            recovery.cancel()
            running = {recovery, *self._steps}
            _, late = await asyncio.wait(running, timeout=_FAREWELL_SECONDS)
            # Others do these steps again, as they would if this process had been killed.
            for task in late:
                task.cancel()

    async def recover(self) -> int:
        """Do a step for every order that is due now; return how many there were."""
        count = 0
        while claimed := await self._store.claim_due(_AT_ONCE, now()):
            count += len(claimed)
            await asyncio.gather(*(self.advance(progress) for progress in claimed))
        return count

    async def _step(self, progress: Progress) -> Order:
        do = self._stock.reserve if progress.step is Step.RESERVE else self._stock.release
        outcome = await do(progress.order)
        _, settled = await self._store.update(
            progress.order.id, lambda current: settle(current, progress, outcome, now())
        )
        if outcome is Answer.UNKNOWN:
            what = (progress.step.value, progress.order.id, progress.claim)
            logger.warning("%s stock of order %s: no answer, attempt %d", *what)
        return settled.order

    async def _recover(self) -> None:
        if count := await self.recover():
            logger.info("recovery: did %d steps", count)


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _retrieve_error(task: asyncio.Task[Order]) -> None:
    """Keep asyncio from logging the error of a step whose caller has given up."""
    if not task.cancelled():
        task.exception()
