"""Rows of the orders table to domain values and back."""

from typing import Any

from sqlalchemy import Row

from order_service.domain import Order, Refusal, Status
from order_service.saga import Progress
from order_service.store.schema import orders

ORDER = (
    orders.c.id,
    orders.c.user_id,
    orders.c.lines,
    orders.c.status,
    orders.c.reason,
    orders.c.reason_text,
    orders.c.created_at,
    orders.c.updated_at,
)
PROGRESS = (*ORDER, orders.c.claim, orders.c.due_at)


def order_of(row: Row[Any]) -> Order:
    """Return the order of a row with the columns ORDER."""
    return Order(
        id=row.id,
        user_id=row.user_id,
        items=row.lines,
        status=Status(row.status),
        refusal=None if row.reason is None else Refusal(row.reason, row.reason_text),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def progress_of(row: Row[Any]) -> Progress:
    """Return what is in a row with the columns PROGRESS."""
    return Progress(order_of(row), row.claim, row.due_at)


def new_values(progress: Progress, request_id: str) -> dict[str, Any]:
    """Return the row of a new order."""
    order = progress.order
    return {
        "id": order.id,
        "user_id": order.user_id,
        "lines": order.items,
        "request_id": request_id or None,
        "created_at": order.created_at,
        **changed_values(progress),
    }


def changed_values(progress: Progress) -> dict[str, Any]:
    """Return the columns that may change."""
    order = progress.order
    return {
        "status": order.status.value,
        "reason": order.refusal and order.refusal.reason,
        "reason_text": order.refusal and order.refusal.text,
        "updated_at": order.updated_at,
        "claim": progress.claim,
        "due_at": progress.due_at,
    }
