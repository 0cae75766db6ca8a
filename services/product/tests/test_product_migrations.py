"""Migrations, up and down on SQLite and PostgreSQL."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from grpc_service_kit.sql import Limits
from grpc_service_kit.testing.sql import on, tables
from product_goods import every_product, product, reservation
from product_service.store import SCHEMA, ProductStore
from product_service.store.schema import metadata


def test_the_revisions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", SCHEMA.location)
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())

    assert SCHEMA.versions == tuple(script.revision for script in reversed(scripts))


async def test_every_step_goes_up_and_down(empty_url: URL) -> None:
    catalogue = {"products", "create_requests", "page_token_key"}
    steps: dict[str, set[str]] = {
        "base": set(),
        "0001": catalogue,
        "0002": catalogue | {"reservations", "reservation_items"},
    }
    assert tuple(steps) == SCHEMA.revisions
    for _ in range(2):
        for revision in (*steps, *reversed(steps)):
            await SCHEMA.make_ready(empty_url, Limits(), revision)
            assert await tables(empty_url) == steps[revision]


async def test_without_reservations_all_stock_is_available(url: URL) -> None:
    async with ProductStore.open(url) as store:
        tea, cup = [await store.create(product(name)) for name in ("tea", "cup")]
        await store.reserve(reservation((tea, 3)))
    await SCHEMA.make_ready(url, Limits(), "0001")

    async with ProductStore.open(url) as store:
        assert await every_product(store) == [tea, cup]
        revisions = {
            stock.product_id: stock.revision for stock in await store.stock([tea.id, cup.id])
        }
        assert revisions == {tea.id: 3, cup.id: 1}


@pytest.mark.filterwarnings("ignore:autogenerate skipping:UserWarning")
async def test_the_tables_are_those_that_queries_see(url: URL) -> None:
    def differences(connection: Connection) -> Any:
        # SQLite says of an INTEGER PRIMARY KEY that it may be NULL, though it never is.
        options = {"include_object": lambda thing, *_: thing.name != "seq"}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, metadata)

    assert await on(url, differences) == []


async def test_the_database_itself_keeps_stock_from_being_promised_twice(url: URL) -> None:
    def overbook(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE products SET reserved_quantity = 11")

    async with ProductStore.open(url) as store:
        await store.create(product(stock=10))
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        await on(url, overbook)
