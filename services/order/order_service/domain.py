"""Orders and their rules. Knows nothing of gRPC, protobuf or SQL.

How an order gets from one status to the next is in `saga.py`. Every rule that fails raises an
error of the kit whose text names the field and says how to fix it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Self

from grpc_service_kit.errors import (
    AlreadyExists,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotFound,
)

MAX_ITEMS = 100
MAX_QUANTITY = 10_000
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000

_TYPE = "order.v1.Order"
_QUOTE_LIMIT = 80  # Status messages travel in a header, and servers limit the size of headers.


class Status(Enum):
    """How far an order is."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Item:
    """One line of an order."""

    product_id: str
    quantity: int


@dataclass(frozen=True)
class Refusal:
    """Why an order cannot be placed: for programs in UPPER_SNAKE_CASE, and for people."""

    reason: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a user has ordered; both times are in UTC."""

    id: str
    user_id: str
    items: tuple[Item, ...]
    status: Status
    refusal: Refusal | None = None
    """Why it was rejected; None otherwise."""
    created_at: datetime
    updated_at: datetime

    @classmethod
    def new(cls, user_id: str, items: Sequence[Item], now: datetime) -> Self:
        """Return a valid new order under a random id."""
        return cls(
            id=str(uuid.uuid4()),
            user_id=checked_uuid("user_id", user_id),
            items=_checked_items(items),
            status=Status.PENDING,
            created_at=now,
            updated_at=now,
        )

    def asks_for_the_same(self, other: Order) -> bool:
        """Return whether a request for the one could have been one for the other."""
        return (self.user_id, self.items) == (other.user_id, other.items)


@dataclass(frozen=True)
class Event:
    """A change of an order's status."""

    sequence: int
    """Its position among all events: later ones have higher numbers."""
    order: Order
    """The order as the change left it."""


class OrderNotFound(NotFound):
    """No order has this id."""

    @classmethod
    def of(cls, order_id: str) -> Self:
        """Return the error for an id."""
        return cls(f"id: no order has the id {order_id}").about(_TYPE, order_id)


class UserNotFound(FailedPrecondition):
    """Nobody can order under this user id."""

    @classmethod
    def of(cls, user_id: str) -> Self:
        """Return the error for an id."""
        problem = f"no user has the id {user_id}; send that of a user of user.v1"
        return cls(f"user_id: {problem}").violating(FieldViolation("user_id", problem))


class RequestIdReused(AlreadyExists):
    """The request id was used before, to place another order."""

    @classmethod
    def of(cls, request_id: str) -> Self:
        """Return the error for an id."""
        return cls(
            f"request_id: {request_id} was used to place another order; send a new UUID for each"
            " order"
        )


class OrderRejected(FailedPrecondition):
    """The order is stored and cannot be placed. Its `reason` is that of the refusal."""

    @classmethod
    def of(cls, order: Order) -> Self:
        """Return the error for a rejected order."""
        refusal = order.refusal or Refusal("REJECTED", "the order was rejected")
        error = cls(refusal.text, reason=refusal.reason, metadata={"order_id": order.id})
        return error.about(_TYPE, order.id)


def checked_request_id(text: str) -> str:
    """Return a request id in its canonical spelling; empty when there is none."""
    return text and checked_uuid("request_id", text)


def checked_page_size(size: int) -> int:
    """Return how many orders a page may hold: 0 asks for the default, too many for the maximum."""
    if size < 0:
        problem = f"{size} is negative; send 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}"
        raise _invalid("page_size", problem)
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def checked_sequence(number: int) -> int:
    """Return a position among the events."""
    if number < 0:
        raise _invalid("after_sequence", f"{number} is negative; send 0 for the first event")
    return number


def checked_uuid(field: str, text: str) -> str:
    """Return an id in its canonical spelling (RFC 9562: lower case with hyphens)."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        short = text if len(text) <= _QUOTE_LIMIT else f"{text[:_QUOTE_LIMIT]}..."
        problem = f"{short!r} is not a UUID; send one as 123e4567-e89b-42d3-a456-426614174000"
        raise _invalid(field, problem) from None


def _checked_items(items: Sequence[Item]) -> tuple[Item, ...]:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise _invalid("items", f"has {len(items)} lines; send 1 to {MAX_ITEMS}")
    first: dict[str, int] = {}
    checked = []
    for position, item in enumerate(items):
        product_id = checked_uuid(f"items[{position}].product_id", item.product_id)
        if first.setdefault(product_id, position) != position:
            problem = f"{product_id} is in items[{first[product_id]}] too; add the quantities up"
            raise _invalid(f"items[{position}].product_id", problem)
        if not 1 <= item.quantity <= MAX_QUANTITY:
            problem = f"{item.quantity} is not allowed; send 1 to {MAX_QUANTITY}"
            raise _invalid(f"items[{position}].quantity", problem)
        checked.append(Item(product_id, item.quantity))
    return tuple(checked)


def _invalid(field: str, problem: str) -> InvalidArgument:
    return InvalidArgument.of([FieldViolation(field, problem)])
