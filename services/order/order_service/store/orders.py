"""OrderStore: orders and their events in SQLite or PostgreSQL. Each method is one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import URL, ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Database, Limits, PageTokens, insert_into
from order_service.domain import Event, Order, OrderNotFound, RequestIdReused
from order_service.saga import LEASE, Progress
from order_service.store.events import events_after, events_of, last_sequence, record
from order_service.store.migrations import SCHEMA
from order_service.store.rows import (
    ORDER,
    PROGRESS,
    changed_values,
    new_values,
    order_of,
    progress_of,
)
from order_service.store.schema import orders, page_token_key


@dataclass(frozen=True)
class Page:
    """One page of orders, newest first; the token is empty when no order follows."""

    orders: Sequence[Order]
    next_token: str


class OrderStore:
    """The orders. A change of status and the event that reports it happen together.

    Every method raises Unavailable when the database is away and Overloaded when all connections
    stay in use.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        """Use a database that `open` has made ready."""
        self._database = database
        self._key = key

    @classmethod
    @asynccontextmanager
    async def open(cls, url: URL, limits: Limits | None = None) -> AsyncIterator[Self]:
        """Make the database ready, migrations included, and use it; raise StoreError."""
        async with SCHEMA.open(url, limits or Limits()) as database:
            (row,) = await database.read_at_start(select(page_token_key.c.key))
            yield cls(database, row.key)

    async def check(self) -> None:
        """Return when the database answers; raise Unavailable."""
        await self._database.check()

    async def get(self, order_id: str) -> Order:
        """Return one order; raise OrderNotFound."""
        for row in await self._database.read(select(*ORDER).where(orders.c.id == order_id)):
            return order_of(row)
        raise OrderNotFound.of(order_id)

    async def placed(self, order: Order, request_id: str) -> Order | None:
        """Return the order that was placed with this request id, if there is one.

        Raises RequestIdReused when it is not what `order` asks for.
        """
        if request_id:
            query = select(*ORDER).where(orders.c.request_id == request_id)
            for row in await self._database.read(query):
                return _the_same(order, order_of(row), request_id)
        return None

    async def place(self, progress: Progress, request_id: str) -> Progress:
        """Store a new order and return it, or the one that was placed with this request id.

        Raises RequestIdReused like `placed`.
        """

        async def work(connection: AsyncConnection) -> Progress:
            row = insert_into(connection, orders).values(new_values(progress, request_id))
            row = row.on_conflict_do_nothing(index_elements=["request_id"])
            if (await connection.execute(row.returning(orders.c.seq))).one_or_none():
                await record(connection, progress.order)
                return progress
            known = await _one(connection, orders.c.request_id == request_id)
            if known is None:
                raise LookupError(f"request {request_id} has an order that cannot be read")
            _the_same(progress.order, known.order, request_id)
            return known

        return await self._database.run(work)

    async def update(
        self, order_id: str, change: Callable[[Progress], Progress]
    ) -> tuple[Progress, Progress]:
        """Replace what is known of an order by what `change` makes of it; raise OrderNotFound.

        Returns it before and after. `change` may be called more than once.
        """

        async def work(connection: AsyncConnection) -> tuple[Progress, Progress]:
            before = await _one(connection, orders.c.id == order_id)
            if before is None:
                raise OrderNotFound.of(order_id)
            after = change(before)
            if after != before:
                row = update(orders).where(orders.c.id == order_id)
                await connection.execute(row.values(changed_values(after)))
            if after.order.status is not before.order.status:
                await record(connection, after.order)
            return before, after

        return await self._database.run(work)

    async def claim_due(self, limit: int, now: datetime) -> list[Progress]:
        """Claim the orders that are due, those first that have waited longest.

        No two callers, in whatever process, get the same claim of an order.
        """
        due = select(orders.c.seq).where(orders.c.due_at <= now)
        if not await self._database.read(due.limit(1)):
            return []

        async def work(connection: AsyncConnection) -> list[Progress]:
            chosen = due.order_by(orders.c.due_at).limit(limit).with_for_update(skip_locked=True)
            claimed = (
                update(orders)
                .where(orders.c.seq.in_(chosen))
                .values(claim=orders.c.claim + 1, due_at=now + LEASE)
                .returning(*PROGRESS)
            )
            return [progress_of(row) for row in await connection.execute(claimed)]

        return await self._database.run(work)

    async def list(self, user_id: str, size: int, token: str) -> Page:
        """Return the page of at most `size` orders of a user after the one `token` stands for."""
        tokens = PageTokens(self._key, f"orders of {user_id} by seq descending")
        query = select(orders.c.seq, *ORDER).where(orders.c.user_id == user_id)
        if token:
            query = query.where(orders.c.seq < tokens.open(token))
        rows = await self._database.read(query.order_by(orders.c.seq.desc()).limit(size + 1))
        next_token = tokens.seal(rows[size - 1].seq) if len(rows) > size else ""
        return Page([order_of(row) for row in rows[:size]], next_token)

    async def events(self, after: int, user_id: str, limit: int) -> Sequence[Event]:
        """Return the next events after a sequence number, of one user or (empty) of all."""
        return events_of(await self._database.read(events_after(after, user_id, limit)))

    async def last_sequence(self) -> int:
        """Return the number of the last event; 0 when there is none."""
        (row,) = await self._database.read(last_sequence)
        return int(row.last)


async def _one(connection: AsyncConnection, key: ColumnElement[bool]) -> Progress | None:
    """Return the order and keep others from changing it until the transaction ends."""
    row: Any = await connection.execute(select(*PROGRESS).where(key).with_for_update())
    found = row.one_or_none()
    return None if found is None else progress_of(found)


def _the_same(wanted: Order, known: Order, request_id: str) -> Order:
    if not wanted.asks_for_the_same(known):
        raise RequestIdReused.of(request_id)
    return known
