"""A small schema for tests: counters, and names that are given once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Database, Limits, Schema

SCHEMA = Schema(name="counters", location="kit_sql_counters:migrations", versions=("0001", "0002"))


@asynccontextmanager
async def opened(url: URL, **limits: float) -> AsyncIterator[Database]:
    """Open a database with some limits of its own."""
    async with SCHEMA.open(url, replace(Limits(), **limits)) as database:  # type: ignore[arg-type]
        yield database


async def add(connection: AsyncConnection, name: str) -> None:
    """Add a counter."""
    statement = "INSERT INTO counters (name, value) VALUES (:name, 0)"
    await connection.execute(text(statement), {"name": name})


async def count(connection: AsyncConnection, name: str) -> None:
    """Count one more."""
    statement = "UPDATE counters SET value = value + 1 WHERE name = :name"
    await connection.execute(text(statement), {"name": name})


async def values(database: Database) -> dict[str, int]:
    """Return all counters."""
    return {row.name: row.value for row in await database.read(text("SELECT * FROM counters"))}


async def one(connection: AsyncConnection, statement: str = "SELECT 1") -> int:
    """Return the one number of a query."""
    return int((await connection.execute(text(statement))).scalar_one())
