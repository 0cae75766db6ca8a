"""Domain values to proto messages and back."""

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from product.v1 import product_pb2
from product_service.domain import Item, Price, Product, Reservation, Stock


def product_message(product: Product) -> product_pb2.Product:
    """Return a product as it is sent."""
    price = product.price
    return product_pb2.Product(
        id=product.id,
        name=product.name,
        price=Money(currency_code=price.currency, units=price.units, nanos=price.nanos),
        stock_quantity=product.stock_quantity,
        reserved_quantity=product.reserved_quantity,
        created_at=_timestamp(product.created_at),
        updated_at=_timestamp(product.updated_at),
    )


def reservation_message(reservation: Reservation) -> product_pb2.Reservation:
    """Return a reservation as it is sent."""
    return product_pb2.Reservation(
        id=reservation.id,
        items=[
            product_pb2.StockItem(product_id=item.product_id, quantity=item.quantity)
            for item in reservation.items
        ],
        created_at=_timestamp(reservation.created_at),
    )


def stock_message(stock: Stock) -> product_pb2.WatchStockResponse:
    """Return a state of the stock as it is sent."""
    return product_pb2.WatchStockResponse(
        product_id=stock.product_id,
        stock_quantity=stock.quantity,
        reserved_quantity=stock.reserved,
        revision=stock.revision,
    )


def price_of(money: Money) -> Price:
    """Return the price of a request."""
    return Price(money.currency_code, money.units, money.nanos)


def items_of(items: Iterable[product_pb2.StockItem]) -> list[Item]:
    """Return the items of a request."""
    return [Item(item.product_id, item.quantity) for item in items]


def _timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message
