"""Reservations: what happens to them within a transaction.

A row is written for each id that was reserved or released, whichever came first, and all else
follows from whether the row was there. Rows are locked in one order: the reservation, then its
products by id.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import insert_into, sweep
from product_service.domain import (
    RELEASED_LIFETIME,
    Item,
    ProductNotFound,
    Reservation,
    ReservationIdReused,
    ReservationReleased,
)
from product_service.store.rows import locked, replace
from product_service.store.schema import reservation_items, reservations

_SWEEP_AFTER = 64
"""Ids that were released long ago are removed after this many new ones, twice as many."""


class Reservations:
    """The reservations, and the ids of those that have ended in the last 7 days."""

    def __init__(self) -> None:
        """Count from 0."""
        self._released = 0

    async def reserve(self, connection: AsyncConnection, wanted: Reservation) -> Reservation:
        """Reserve all items or none; return the reservation, or that of the first try.

        Raises ProductNotFound, InsufficientStock, ReservationIdReused or ReservationReleased.
        """
        known = await _claim(connection, wanted.id, wanted.created_at)
        if known is not None:
            return await _the_same(connection, wanted, known)
        await _move(connection, wanted.items, 1)
        rows = [{"reservation_id": wanted.id, **vars(item)} for item in wanted.items]
        await connection.execute(insert(reservation_items), rows)
        return wanted

    async def release(
        self, connection: AsyncConnection, reservation_id: str, now: datetime
    ) -> None:
        """Give back what the reservation holds, and refuse its id from now on."""
        known = await _claim(connection, reservation_id, now)
        if known is not None and known.released_at is not None:
            return
        items = await _items(connection, reservation_id)
        if items:
            await _move(connection, items, -1)
            of_it = reservation_items.c.reservation_id == reservation_id
            await connection.execute(delete(reservation_items).where(of_it))
        row = update(reservations).where(reservations.c.id == reservation_id)
        await connection.execute(row.values(released_at=now))
        await self._sweep(connection, now)

    async def _sweep(self, connection: AsyncConnection, now: datetime) -> None:
        self._released += 1
        if self._released < _SWEEP_AFTER:
            return
        expired = reservations.c.released_at < now - RELEASED_LIFETIME
        limit = 2 * self._released
        self._released = 0
        await sweep(connection, reservations.c.id, expired, limit)


async def _claim(
    connection: AsyncConnection, reservation_id: str, now: datetime
) -> Row[Any] | None:
    """Write the row of an unknown id and return None, or return that of a known one, locked."""
    row = insert_into(connection, reservations).values(id=reservation_id, created_at=now)
    new = row.on_conflict_do_nothing().returning(reservations.c.id)
    query = select(reservations).where(reservations.c.id == reservation_id).with_for_update()
    while (await connection.execute(new)).one_or_none() is None:
        known = (await connection.execute(query)).one_or_none()
        if known is not None:  # Otherwise it has just been removed, as it was released long ago.
            return known
    return None


async def _the_same(
    connection: AsyncConnection, wanted: Reservation, known: Row[Any]
) -> Reservation:
    if known.released_at is not None:
        raise ReservationReleased(
            f"reservation_id: {wanted.id} was released; reserve under a new id"
        ).about("product.v1.Reservation", wanted.id)
    if await _items(connection, wanted.id) != wanted.items:
        raise ReservationIdReused(
            f"reservation_id: {wanted.id} was used for other items; send a new UUID for each"
            " reservation"
        ).about("product.v1.Reservation", wanted.id)
    return Reservation(wanted.id, wanted.items, known.created_at)


async def _items(connection: AsyncConnection, reservation_id: str) -> tuple[Item, ...]:
    query = select(reservation_items).where(reservation_items.c.reservation_id == reservation_id)
    rows = await connection.execute(query.order_by(reservation_items.c.product_id))
    return tuple(Item(row.product_id, row.quantity) for row in rows)


async def _move(connection: AsyncConnection, items: Iterable[Item], sign: int) -> None:
    """Reserve more of each product (1), or less (-1)."""
    quantities = {item.product_id: item.quantity for item in items}
    products = await locked(connection, quantities)
    for product_id, quantity in quantities.items():
        product = products.get(product_id)
        if product is None:
            raise ProductNotFound.of(product_id)
        await replace(connection, product, product.reserving(sign * quantity))
