"""Plain SQL beside a store, to read the tables and to change them as nobody should."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, inspect, text

from grpc_service_kit.sql import Limits
from grpc_service_kit.sql.engine import make_engine

T = TypeVar("T")


async def on(url: URL, work: Callable[[Connection], T]) -> T:
    """Call `work` with a connection in a transaction."""
    engine = make_engine(url, Limits(), "test")
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def execute(url: URL, statement: str) -> None:
    """Run one statement."""
    await on(url, lambda connection: connection.execute(text(statement)))


async def scalar(url: URL, query: str) -> Any:
    """Return the one value of a query."""
    return await on(url, lambda connection: connection.scalar(text(query)))


async def tables(url: URL) -> set[str]:
    """Return the names of the tables, but for the one that alembic keeps."""
    names = await on(url, lambda connection: inspect(connection).get_table_names())
    return set(names) - {"alembic_version"}
