"""ProductStore: products in SQLite or PostgreSQL. Each method is one transaction."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from dataclasses import replace as changed
from datetime import datetime
from typing import Self

from sqlalchemy import URL, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Database, Limits, PageTokens, Request, RequestIds, fingerprint
from product_service.domain import (
    REQUEST_ID_LIFETIME,
    Product,
    ProductNotFound,
    ProductReserved,
    RequestIdReused,
    Reservation,
    Stock,
)
from product_service.store.migrations import SCHEMA
from product_service.store.reservations import Reservations
from product_service.store.rows import (
    PRODUCT,
    STOCK,
    locked,
    product_of,
    replace,
    stock_of,
    values_of,
)
from product_service.store.schema import create_requests, page_token_key, products

_MOST_AT_ONCE = 1000
"""Ids in one query; both databases limit the parameters of a statement."""


@dataclass(frozen=True)
class Page:
    """One page of products, oldest first; the token is empty when no product follows."""

    products: Sequence[Product]
    next_token: str


class ProductStore:
    """The products and what is reserved of them.

    Every method raises DatabaseUnavailable when the database is away and DatabaseOverloaded when
    all connections stay in use.
    """

    def __init__(self, database: Database, tokens: PageTokens) -> None:
        """Use a database that `open` has made ready."""
        self._database = database
        self._tokens = tokens
        self._requests = RequestIds(create_requests, REQUEST_ID_LIFETIME)
        self._reservations = Reservations()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: URL, limits: Limits | None = None) -> AsyncIterator[Self]:
        """Make the database ready, migrations included, and use it; raise StoreError."""
        async with SCHEMA.open(url, limits or Limits()) as database:
            (row,) = await database.read_at_start(select(page_token_key.c.key))
            yield cls(database, PageTokens(row.key, "products by seq"))

    async def check(self) -> None:
        """Return when the database answers; raise DatabaseUnavailable."""
        await self._database.check()

    async def get(self, product_id: str) -> Product:
        """Return one product; raise ProductNotFound."""
        query = select(*PRODUCT).where(products.c.id == product_id)
        for row in await self._database.read(query):
            return product_of(row)
        raise ProductNotFound.of(product_id)

    async def create(self, product: Product, request_id: str = "") -> Product:
        """Store a product and return it as stored, with a known request id as the first time.

        Raises RequestIdReused.
        """

        async def work(connection: AsyncConnection) -> Product:
            first = await self._first_try(connection, product, request_id)
            if first is not None:
                return first
            row = {**values_of(product), "stock_revision": 1}
            await connection.execute(insert(products).values(row))
            return product

        return await self._database.run(work)

    async def update(self, product_id: str, change: Callable[[Product], Product]) -> Product:
        """Replace one product by what `change` makes of it; raise ProductNotFound.

        `change` may be called more than once, when this change clashes with another one.
        """

        async def work(connection: AsyncConnection) -> Product:
            product = await _one(connection, product_id)
            after = change(product)
            if after != product:
                await replace(connection, product, after)
            return after

        return await self._database.run(work)

    async def delete(self, product_id: str) -> None:
        """Remove one product; raise ProductNotFound or ProductReserved."""

        async def work(connection: AsyncConnection) -> None:
            product = await _one(connection, product_id)
            if product.reserved_quantity:
                raise ProductReserved(
                    f"{product.reserved_quantity} units of the product {product_id} are reserved;"
                    " release them first"
                ).about("product.v1.Product", product_id)
            await connection.execute(delete(products).where(products.c.id == product_id))

        await self._database.run(work)

    async def list(self, size: int, token: str) -> Page:
        """Return the page of at most `size` products after the one that `token` stands for."""
        after = self._tokens.open(token) if token else 0
        query = select(products.c.seq, *PRODUCT).where(products.c.seq > after)
        rows = await self._database.read(query.order_by(products.c.seq).limit(size + 1))
        next_token = self._tokens.seal(rows[size - 1].seq) if len(rows) > size else ""
        return Page([product_of(row) for row in rows[:size]], next_token)

    async def reserve(self, reservation: Reservation) -> Reservation:
        """Reserve all items or none; return the reservation, or that of the first try.

        Raises ProductNotFound, InsufficientStock, ReservationIdReused or ReservationReleased.
        """

        async def work(connection: AsyncConnection) -> Reservation:
            return await self._reservations.reserve(connection, reservation)

        return await self._database.run(work)

    async def release(self, reservation_id: str, now: datetime) -> None:
        """Give back what the reservation holds, and refuse its id from now on."""

        async def work(connection: AsyncConnection) -> None:
            await self._reservations.release(connection, reservation_id, now)

        await self._database.run(work)

    async def stock(self, product_ids: Collection[str]) -> Sequence[Stock]:
        """Return the stock of those of the products that exist."""
        ids = sorted(product_ids)
        found: list[Stock] = []
        for begin in range(0, len(ids), _MOST_AT_ONCE):
            chosen = products.c.id.in_(ids[begin : begin + _MOST_AT_ONCE])
            rows = await self._database.read(select(*STOCK).where(chosen))
            found += [stock_of(row) for row in rows]
        return found

    async def _first_try(
        self, connection: AsyncConnection, product: Product, request_id: str
    ) -> Product | None:
        if not request_id:
            return None
        request = Request(
            request_id=request_id,
            fingerprint=fingerprint(product.name, *astuple(product.price), product.stock_quantity),
            resource_id=product.id,
            created_at=product.created_at,
        )
        known = (await self._requests.claim(connection, [request])).get(request_id)
        if known is None:
            return None
        if known.fingerprint != request.fingerprint:
            raise RequestIdReused(
                f"request_id: {request_id} was used to create another product; send a new UUID for"
                " each product"
            )
        time = known.created_at
        return changed(product, id=known.resource_id, created_at=time, updated_at=time)


async def _one(connection: AsyncConnection, product_id: str) -> Product:
    product = (await locked(connection, [product_id])).get(product_id)
    if product is None:
        raise ProductNotFound.of(product_id)
    return product
