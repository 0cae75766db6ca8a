"""Products, their stock and their reservations. Knows nothing of gRPC, protobuf or SQL."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from grpc_service_kit.errors import AlreadyExists, FailedPrecondition, NotFound
from product_service import rules

REQUEST_ID_LIFETIME = timedelta(hours=24)
"""How long a create that is sent again gets its first answer."""
RELEASED_LIFETIME = timedelta(days=7)
"""How long the id of a released reservation is refused when it is to be reserved."""


class ProductNotFound(NotFound):
    """No product has this id."""

    @classmethod
    def of(cls, product_id: str) -> Self:
        """Return the error that names the product."""
        error = cls(f"no product has the id {product_id}", metadata={"product_id": product_id})
        return error.about("product.v1.Product", product_id)


class RequestIdReused(AlreadyExists):
    """The request id was used before, to create another product."""


class ReservationIdReused(AlreadyExists):
    """The reservation id was used before, for other items."""


class ReservationReleased(FailedPrecondition):
    """The reservation has ended, or was given up before it began."""


class ProductReserved(FailedPrecondition):
    """Some of the product is reserved."""


class InsufficientStock(FailedPrecondition):
    """There are not enough units."""

    @classmethod
    def of(cls, text: str, product: Product) -> Self:
        """Return the error that says how many units there are."""
        return cls(text, metadata={"product_id": product.id, "available": str(product.available)})


@dataclass(frozen=True)
class Price:
    """An amount of money, in the form of google.type.Money."""

    currency: str
    """Currency code of ISO 4217."""
    units: int
    """Whole units of the currency."""
    nanos: int = 0
    """Billionths of a unit."""

    def checked(self) -> Self:
        """Return this price if it is one."""
        rules.checked_currency(self.currency)
        rules.checked_number("price.units", self.units, 0, rules.MAX_UNITS)
        rules.checked_number("price.nanos", self.nanos, 0, rules.NANOS - 1)
        return self


@dataclass(frozen=True, kw_only=True)
class Product:
    """One entry of the catalogue; both times are in UTC."""

    id: str
    name: str
    price: Price
    stock_quantity: int
    reserved_quantity: int = 0
    created_at: datetime
    updated_at: datetime

    @classmethod
    def new(cls, name: str, price: Price, stock_quantity: int, now: datetime) -> Self:
        """Return a valid new product under a random id."""
        return cls(
            id=str(uuid.uuid4()),
            name=rules.checked_name(name),
            price=price.checked(),
            stock_quantity=_checked_stock(stock_quantity),
            created_at=now,
            updated_at=now,
        )

    @property
    def available(self) -> int:
        """How many units can be reserved."""
        return self.stock_quantity - self.reserved_quantity

    def changed(self, now: datetime, change: Change) -> Self:
        """Return this product with a change made; the same object if nothing differs."""
        changed = replace(
            self,
            name=self.name if change.name is None else change.name,
            price=self.price if change.price is None else change.price,
            stock_quantity=(
                self.stock_quantity if change.stock_quantity is None else change.stock_quantity
            ),
        )
        if changed.available < 0:
            raise InsufficientStock.of(
                f"stock_quantity: {changed.stock_quantity} is less than the"
                f" {self.reserved_quantity} units that are reserved; release some first",
                self,
            )
        return self if changed == self else replace(changed, updated_at=now)

    def reserving(self, quantity: int) -> Self:
        """Return this product with so many more units reserved, or fewer if negative."""
        if quantity > self.available:
            raise InsufficientStock.of(
                f"only {self.available} units of the product {self.id} are available, not"
                f" {quantity}; reserve fewer, or wait for more",
                self,
            )
        return replace(self, reserved_quantity=self.reserved_quantity + quantity)


@dataclass(frozen=True, kw_only=True)
class Change:
    """New values of fields; None leaves one as it is."""

    name: str | None = None
    price: Price | None = None
    stock_quantity: int | None = None

    def checked(self) -> Self:
        """Return this change if each of its values is allowed."""
        if self.name is not None:
            rules.checked_name(self.name)
        if self.price is not None:
            self.price.checked()
        if self.stock_quantity is not None:
            _checked_stock(self.stock_quantity)
        return self


@dataclass(frozen=True)
class Stock:
    """How many units of a product there are, and how many of them are reserved."""

    product_id: str
    quantity: int
    reserved: int
    revision: int
    """Grows with every change of the two numbers."""


@dataclass(frozen=True)
class Item:
    """A number of units of one product."""

    product_id: str
    quantity: int


@dataclass(frozen=True)
class Reservation:
    """Stock that is promised to somebody."""

    id: str
    items: tuple[Item, ...]
    """In the order of the product ids."""
    created_at: datetime

    @classmethod
    def new(cls, reservation_id: str, items: Sequence[Item], now: datetime) -> Self:
        """Return a valid reservation."""
        ids = rules.checked_ids("items", [item.product_id for item in items], ".product_id")
        for position, item in enumerate(items):
            field = f"items[{position}].quantity"
            rules.checked_number(field, item.quantity, 1, rules.MAX_QUANTITY)
        checked = sorted(zip(ids, (item.quantity for item in items), strict=True))
        return cls(
            rules.checked_reservation_id(reservation_id),
            tuple(Item(*pair) for pair in checked),
            now,
        )


def _checked_stock(quantity: int) -> int:
    return rules.checked_number("stock_quantity", quantity, 0, rules.MAX_QUANTITY)
