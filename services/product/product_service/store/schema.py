"""The tables as queries see them. `migrations/` makes them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from grpc_service_kit.sql import SEQUENCE, UUID, Time, request_ids_table

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

products = Table(
    "products",
    metadata,
    # It gives the order of pages. No value is used twice, so that a page token stays right when
    # products are deleted.
    Column("seq", SEQUENCE, primary_key=True),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price_units", _NUMBER, nullable=False),
    Column("price_nanos", Integer, nullable=False),
    Column("stock_quantity", _NUMBER, nullable=False),
    Column("reserved_quantity", _NUMBER, nullable=False),
    Column("stock_revision", _NUMBER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    UniqueConstraint("id", name="products_id_key"),
    sqlite_strict=True,
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("released_at", Time),
    Index("reservations_released_at_idx", "released_at"),
    sqlite_strict=True,
)

# What reservations hold: nothing once they are released.
reservation_items = Table(
    "reservation_items",
    metadata,
    Column("reservation_id", UUID, primary_key=True),
    Column("product_id", UUID, primary_key=True),
    Column("quantity", _NUMBER, nullable=False),
    sqlite_strict=True,
)

create_requests = request_ids_table("create_requests", metadata)

page_token_key = Table(
    "page_token_key",
    metadata,
    Column("key", LargeBinary, nullable=False),
    sqlite_strict=True,
)
