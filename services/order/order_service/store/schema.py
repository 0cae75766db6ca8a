"""The tables as queries see them. `migrations/` makes them; a test compares the two."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from grpc_service_kit.sql import SEQUENCE, UUID, Time
from order_service.domain import Item


class Items(TypeDecorator[Sequence[Item]]):
    """The lines of an order, which never change: JSON as [[product id, quantity], ...]."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type: jsonb in PostgreSQL."""
        native = postgresql.JSONB()
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else native)

    def process_bind_param(self, value: Sequence[Item] | None, dialect: Dialect) -> Any:
        """Return the lines as the driver takes them."""
        lines = [[item.product_id, item.quantity] for item in value or ()]
        return json.dumps(lines) if dialect.name == "sqlite" else lines

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Item, ...]:
        """Return the lines as the driver gave them."""
        lines = json.loads(value) if dialect.name == "sqlite" else value
        return tuple(Item(product_id, quantity) for product_id, quantity in lines)


metadata = MetaData()

orders = Table(
    "orders",
    metadata,
    # It gives the order of pages. No value is used twice.
    Column("seq", SEQUENCE, primary_key=True),
    Column("id", UUID, nullable=False),
    Column("user_id", UUID, nullable=False),
    Column("lines", Items, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("reason_text", Text),
    Column("request_id", UUID),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    # What is left to do for it: saga.Progress.
    Column("claim", Integer, nullable=False),
    Column("due_at", Time),
    UniqueConstraint("id", name="orders_id_key"),
    UniqueConstraint("request_id", name="orders_request_id_key"),
    sqlite_strict=True,
)
Index("orders_user_id_idx", orders.c.user_id, orders.c.seq)
Index(
    "orders_due_at_idx",
    orders.c.due_at,
    postgresql_where=orders.c.due_at.is_not(None),
    sqlite_where=orders.c.due_at.is_not(None),
)

order_events = Table(
    "order_events",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
    Column("order_id", UUID, ForeignKey("orders.id"), nullable=False),
    Column("user_id", UUID, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("reason_text", Text),
    Column("occurred_at", Time, nullable=False),
    sqlite_strict=True,
)
Index("order_events_user_id_idx", order_events.c.user_id, order_events.c.sequence)

event_sequence = Table(
    "event_sequence",
    metadata,
    Column("last", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

page_token_key = Table(
    "page_token_key",
    metadata,
    Column("key", LargeBinary, nullable=False),
    sqlite_strict=True,
)
