"""Rows of the products table to domain values and back, and the lock that changes need."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from product_service.domain import Price, Product, Stock
from product_service.store.schema import products

PRODUCT: tuple[Column[Any], ...] = (
    products.c.id,
    products.c.name,
    products.c.currency,
    products.c.price_units,
    products.c.price_nanos,
    products.c.stock_quantity,
    products.c.reserved_quantity,
    products.c.created_at,
    products.c.updated_at,
)
STOCK: tuple[Column[Any], ...] = (
    products.c.id,
    products.c.stock_quantity,
    products.c.reserved_quantity,
    products.c.stock_revision,
)


async def locked(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Product]:
    """Return the products with these ids, and keep others from changing them until the transaction
    ends. They are locked in one order, so that two transactions never wait for each other.
    """
    query = select(*PRODUCT).where(products.c.id.in_(ids)).order_by(products.c.id)
    rows = await connection.execute(query.with_for_update())
    return {row.id: product_of(row) for row in rows}


async def replace(connection: AsyncConnection, before: Product, after: Product) -> None:
    """Store what a locked product is from now on."""
    values: dict[str, Any] = values_of(after)
    if (before.stock_quantity, before.reserved_quantity) != (
        after.stock_quantity,
        after.reserved_quantity,
    ):
        values["stock_revision"] = products.c.stock_revision + 1
    await connection.execute(update(products).where(products.c.id == before.id).values(values))


def values_of(product: Product) -> dict[str, Any]:
    """Return the columns of a product."""
    return {
        "id": product.id,
        "name": product.name,
        "currency": product.price.currency,
        "price_units": product.price.units,
        "price_nanos": product.price.nanos,
        "stock_quantity": product.stock_quantity,
        "reserved_quantity": product.reserved_quantity,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }


def product_of(row: Row[Any]) -> Product:
    """Return the product of a row with the columns PRODUCT."""
    return Product(
        id=row.id,
        name=row.name,
        price=Price(row.currency, row.price_units, row.price_nanos),
        stock_quantity=row.stock_quantity,
        reserved_quantity=row.reserved_quantity,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def stock_of(row: Row[Any]) -> Stock:
    """Return the stock of a row with the columns STOCK."""
    return Stock(row.id, row.stock_quantity, row.reserved_quantity, row.stock_revision)
