"""What PostgreSQL and SQLite spell differently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Integer, Table, Text, TypeDecorator, Uuid
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")
"""A primary key that counts: `bigint GENERATED ALWAYS AS IDENTITY`, `INTEGER ... AUTOINCREMENT`."""
UUID = Text().with_variant(Uuid(as_uuid=False), "postgresql")
"""A UUID in its canonical spelling: `uuid`, `TEXT`."""


class Time(TypeDecorator[datetime]):
    """A time in UTC: timestamptz in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type."""
        native = TIMESTAMP(timezone=True)
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else native)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return a time as the driver takes it."""
        if value is None or dialect.name != "sqlite":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a time as the driver gave it: a number or, always in UTC, a time."""
        if value is not None and dialect.name == "sqlite":
            return _EPOCH + int(value) * _MICROSECOND
        time: datetime | None = value
        return time


def insert_into(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that can have an ON CONFLICT clause.

    It comes from the dialect in use, which is loaded: the other one would take memory for nothing.
    """
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    insert: postgresql.Insert | sqlite.Insert = dialect.insert(table)
    return insert


def is_sqlite(connection: AsyncConnection) -> bool:
    """Whether the connection is to SQLite; otherwise it is to PostgreSQL."""
    return connection.dialect.name == "sqlite"
