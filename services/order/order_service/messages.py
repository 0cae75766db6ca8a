"""Proto messages to domain values and back."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from google.protobuf import timestamp_pb2

from order.v1 import order_pb2
from order_service.domain import Item, Order, Status

_STATUSES = {
    Status.PENDING: order_pb2.ORDER_STATUS_PENDING,
    Status.CONFIRMED: order_pb2.ORDER_STATUS_CONFIRMED,
    Status.REJECTED: order_pb2.ORDER_STATUS_REJECTED,
    Status.CANCELLED: order_pb2.ORDER_STATUS_CANCELLED,
}


def items_of(messages: Iterable[order_pb2.OrderItem]) -> Sequence[Item]:
    """Return the lines of a request, unchecked."""
    return [Item(message.product_id, message.quantity) for message in messages]


def order_message(order: Order) -> order_pb2.Order:
    """Return an order as clients see it."""
    return order_pb2.Order(
        id=order.id,
        user_id=order.user_id,
        items=[
            order_pb2.OrderItem(product_id=item.product_id, quantity=item.quantity)
            for item in order.items
        ],
        status=_STATUSES[order.status],
        reason=order.refusal.reason if order.refusal else "",
        reason_text=order.refusal.text if order.refusal else "",
        created_at=_timestamp(order.created_at),
        updated_at=_timestamp(order.updated_at),
    )


def _timestamp(time: datetime) -> timestamp_pb2.Timestamp:
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(time)
    return message
