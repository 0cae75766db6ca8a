"""The outbox: what happened to orders, written in the transaction in which it happens.

A watcher that has seen a number must never find a lower one later. Numbers that a database deals
out itself (an identity column) are taken when a row is inserted and seen when its transaction
commits, which may be in another order. So the numbers come from a row that each transaction keeps
locked until its end: numbers are committed in order, and without a gap. It is the last lock that a
transaction takes, hence held for one insert and the commit.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from order_service.domain import Event, Order
from order_service.store.rows import order_of
from order_service.store.schema import event_sequence, order_events, orders

last_sequence = select(event_sequence.c.last)


async def record(connection: AsyncConnection, order: Order) -> None:
    """Write down how an order is now. Call it last in a transaction."""
    number = update(event_sequence).values(last=event_sequence.c.last + 1)
    sequence = (await connection.scalars(number.returning(event_sequence.c.last))).one()
    await connection.execute(
        insert(order_events).values(
            sequence=sequence,
            order_id=order.id,
            user_id=order.user_id,
            status=order.status.value,
            reason=order.refusal and order.refusal.reason,
            reason_text=order.refusal and order.refusal.text,
            occurred_at=order.updated_at,
        )
    )


def events_after(sequence: int, user_id: str, limit: int) -> Select[Any]:
    """Return the query for the next events, of one user or (empty) of all."""
    query = (
        select(
            order_events.c.sequence,
            orders.c.id,
            orders.c.user_id,
            orders.c.lines,
            order_events.c.status,
            order_events.c.reason,
            order_events.c.reason_text,
            orders.c.created_at,
            order_events.c.occurred_at.label("updated_at"),
        )
        .join(orders, orders.c.id == order_events.c.order_id)
        .where(order_events.c.sequence > sequence)
        .order_by(order_events.c.sequence)
        .limit(limit)
    )
    return query.where(order_events.c.user_id == user_id) if user_id else query


def events_of(rows: Sequence[Row[Any]]) -> list[Event]:
    """Return what that query has found."""
    return [Event(row.sequence, order_of(row)) for row in rows]
