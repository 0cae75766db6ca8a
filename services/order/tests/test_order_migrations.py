"""The migrations make the tables that the queries expect, up and down, on both databases."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from grpc_service_kit.sql import BASE, Limits
from order_service.store import SCHEMA
from order_service.store.schema import metadata


async def inspected(url: URL, inspect: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(inspect)
    finally:
        await engine.dispose()


def described(connection: Connection) -> dict[str, Any]:
    """Return columns, keys and indexes of all tables but alembic's own."""
    found = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in found.get_columns(table)
            },
            "primary key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": [
                (key["constrained_columns"], key["referred_table"])
                for key in found.get_foreign_keys(table)
            ],
            "unique": sorted(key["column_names"] for key in found.get_unique_constraints(table)),
            "indexes": sorted(
                (str(index["name"]), index["column_names"])
                for index in found.get_indexes(table)
                if not index.get("duplicates_constraint")
            ),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def created(connection: Connection) -> dict[str, Any]:
    metadata.create_all(connection)
    description = described(connection)
    metadata.drop_all(connection)
    return description


async def test_queries_know_the_tables_that_the_migrations_make(empty_url: URL) -> None:
    await SCHEMA.make_ready(empty_url, Limits())
    migrated = await inspected(empty_url, described)
    await SCHEMA.make_ready(empty_url, Limits(), BASE)

    assert await inspected(empty_url, created) == migrated


async def test_down_and_up_again(empty_url: URL) -> None:
    tables = sorted(metadata.tables)
    for revision in (SCHEMA.head, BASE, SCHEMA.head):
        await SCHEMA.make_ready(empty_url, Limits(), revision)
        left = sorted(await inspected(empty_url, described))
        assert left == (tables if revision == SCHEMA.head else [])
