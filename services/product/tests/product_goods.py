"""Products for tests of the store, and all products of a store."""

import uuid
from datetime import UTC, datetime

from google.type.money_pb2 import Money

from product_service.domain import Item, Price, Product, Reservation
from product_service.store import ProductStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EUROS = Money(currency_code="EUR", units=12, nanos=990_000_000)
PRICE = Price("EUR", 12, 990_000_000)


def product(name: str = "tea", stock: int = 10) -> Product:
    """Return a new product."""
    return Product.new(name, PRICE, stock, NOW)


def reservation(*items: tuple[Product, int], reservation_id: str = "") -> Reservation:
    """Return a new reservation of so many units of each product."""
    wanted = [Item(product.id, quantity) for product, quantity in items]
    return Reservation.new(reservation_id or new_id(), wanted, NOW)


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


async def every_product(store: ProductStore, size: int = 1000) -> list[Product]:
    """Return all products, page by page."""
    products: list[Product] = []
    token = ""
    while True:
        page = await store.list(size, token)
        products += page.products
        token = page.next_token
        if not token:
            return products
