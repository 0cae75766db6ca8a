"""StockWatch: the stock of products as it changes, whichever process changed it.

One task of the process reads the stock of every product that somebody watches: the database has
one query per period to answer, however many watch. What a watcher has not received yet is one
state for each of its products, so a slow one costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from grpc_service_kit import context
from grpc_service_kit.background import repeat
from grpc_service_kit.errors import DomainError, Unavailable
from product_service.domain import ProductNotFound, Stock
from product_service.store import ProductStore


class StockWatch:
    """The stock of products for any number of watchers."""

    def __init__(self, store: ProductStore, pause_seconds: float) -> None:
        """Read new stock every `pause_seconds`."""
        self._store = store
        self._pause = pause_seconds
        self._watchers: set[_Watcher] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read new stock in the background."""
        task = asyncio.create_task(repeat(self._look_for_all, self._pause, "watch"))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def states(self, product_ids: Sequence[str]) -> AsyncGenerator[Stock, None]:
        """Yield the stock of each product, and then what it has become whenever it has changed.

        Raises ProductNotFound when one of them does not exist, or not any more; Unavailable when
        the server drains.
        """
        watcher = _Watcher(product_ids)
        ending = asyncio.create_task(watcher.end_with(context.draining.get() or asyncio.Event()))
        self._watchers.add(watcher)
        try:
            await self._look({watcher})
            async for stock in watcher.states():
                yield stock
        finally:
            self._watchers.discard(watcher)
            ending.cancel()

    async def _look_for_all(self) -> None:
        await self._look(frozenset(self._watchers))

    async def _look(self, watchers: Iterable[_Watcher]) -> None:
        ids = {product_id for watcher in watchers for product_id in watcher.product_ids}
        if not ids:
            return
        found = {stock.product_id: stock for stock in await self._store.stock(ids)}
        for watcher in watchers:
            watcher.see(found)


class _Watcher:
    """What one caller has not received yet."""

    def __init__(self, product_ids: Sequence[str]) -> None:
        self.product_ids = product_ids
        self._revisions = dict.fromkeys(product_ids, -1)
        self._news: dict[str, Stock] = {}
        self._error: DomainError | None = None
        self._awake = asyncio.Event()

    def see(self, found: Mapping[str, Stock]) -> None:
        """Take note of the stock that a look has found."""
        for product_id in self.product_ids:
            stock = found.get(product_id)
            if stock is None:
                self.end(ProductNotFound.of(product_id))
            elif stock.revision > self._revisions[product_id]:
                self._revisions[product_id] = stock.revision
                self._news[product_id] = stock
                self._awake.set()

    def end(self, error: DomainError) -> None:
        """End with the first error, after what has been seen before it."""
        self._error = self._error or error
        self._awake.set()

    async def end_with(self, draining: asyncio.Event) -> None:
        """End when the server drains."""
        await draining.wait()
        text = "the server shuts down; watch again, another one answers"
        self.end(Unavailable(text).retry_after(0))

    async def states(self) -> AsyncGenerator[Stock, None]:
        """Yield what is new, once there is any."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._news:
                yield self._news.pop(next(iter(self._news)))
            if self._error is not None:
                raise self._error
