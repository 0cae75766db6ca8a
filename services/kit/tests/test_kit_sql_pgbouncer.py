"""DATABASE_URL that leads to PgBouncer: everything works when it says so, and nothing otherwise."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import DatabaseUnavailable, Limits, Schema, StoreError
from grpc_service_kit.sql.url import parse_url
from grpc_service_kit.testing.pgbouncer import Pgbouncer, pgbouncer_before
from grpc_service_kit.testing.postgres import Postgres
from grpc_service_kit.testing.sql import tables
from kit_sql_counters import SCHEMA, add, count, one, opened, values

pytest_plugins = ["grpc_service_kit.testing.databases"]


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


@pytest.fixture(scope="module", params=["transaction", "session"])
def bouncer(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Pgbouncer]:
    """A PgBouncer whose clients share two connections in each database, or have one each."""
    size = 2 if request.param == "transaction" else 40
    with pgbouncer_before(postgres, pool_mode=request.param, default_pool_size=size) as running:
        yield running


def through(bouncer: Pgbouncer, database: URL, *parameters: str) -> URL:
    """Return the URL of a database through PgBouncer."""
    query = "&".join(("pgbouncer=true", *parameters))
    return parse_url(f"{bouncer.url(database.database or '')}?{query}")


async def test_many_calls_share_few_connections(bouncer: Pgbouncer, postgres_url: URL) -> None:
    url = through(bouncer, postgres_url)
    async with opened(url) as first, opened(url) as second:
        for name in "abc":
            await first.run(partial(add, name=name))
        await asyncio.gather(
            *(d.run(partial(count, name=n)) for d in (first, second) for n in "abc" * 40),
            *(values(d) for d in (first, second) for _ in range(60)),
            *(d.check() for d in (first, second)),
        )

        assert await values(second) == dict.fromkeys("abc", 80)


async def test_services_that_start_at_once_migrate_once(
    bouncer: Pgbouncer, empty_postgres: URL, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock of a migration ends with its transaction, not with a session of somebody else."""
    caplog.set_level("INFO")
    url = through(bouncer, empty_postgres)
    await asyncio.gather(*(SCHEMA.make_ready(url, Limits()) for _ in range(4)))

    assert await tables(url) == {"counters", "requests"}
    assert caplog.text.count("Running upgrade 0001 -> 0002") == 1
    await SCHEMA.make_ready(url, Limits(), "base")
    assert await tables(url) == set()


async def test_settings_hold_in_each_transaction_and_for_nobody_else(
    bouncer: Pgbouncer, postgres: Postgres, postgres_url: URL
) -> None:
    other = "SET statement_timeout = 0; SELECT current_setting('search_path')"
    url = through(bouncer, postgres_url, "search_path=pg_catalog,public", "timezone=Asia/Tokyo")

    async def shown(connection: AsyncConnection) -> list[str]:
        names = ("statement_timeout", "search_path", "timezone")
        return [
            str((await connection.execute(text(f"SHOW {name}"))).scalar_one()) for name in names
        ]

    async with opened(url, statement=7) as database:
        assert await database.run(shown) == ["7s", "pg_catalog,public", "Asia/Tokyo"]
        with pytest.raises(DatabaseUnavailable):
            async with opened(url, statement=0.2) as quick:
                await quick.run(lambda connection: one(connection, "SELECT 1 FROM pg_sleep(60)"))
    done = await asyncio.to_thread(
        lambda: postgres.sql_at(bouncer.url(postgres_url.database or ""), other)
    )
    assert done.splitlines()[-1] == '"$user", public'


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"pool_mode": "transaction"}, ""),
        ({"pool_mode": "session"}, ""),
        ({"pool_mode": "transaction", "ignore_startup_parameters": "LIST"}, ""),
        ({"pool_mode": "transaction", "ignore_startup_parameters": "LIST"}, "?pgbouncer=false"),
    ],
)
async def test_a_url_that_does_not_name_a_pooler_is_refused_at_once(
    postgres: Postgres, postgres_url: URL, settings: dict[str, str], parameters: str
) -> None:
    ignored = "statement_timeout,idle_in_transaction_session_timeout,extra_float_digits"
    settings = {name: value.replace("LIST", ignored) for name, value in settings.items()}
    with pgbouncer_before(postgres, **settings) as bouncer:
        url = parse_url(bouncer.url(postgres_url.database or "") + parameters)
        with pytest.raises(StoreError, match=r"leads to PgBouncer .*; add the .* pgbouncer=true"):
            await SCHEMA.make_ready(url, Limits(start=3600))


async def test_pooling_of_statements_is_refused_at_once(
    postgres: Postgres, postgres_url: URL
) -> None:
    with pgbouncer_before(postgres, pool_mode="statement") as bouncer:
        url = through(bouncer, postgres_url)
        with pytest.raises(StoreError, match=r"set its pool_mode to transaction or session$"):
            await SCHEMA.make_ready(url, Limits(start=3600))


async def test_postgresql_itself_can_be_used_as_if_it_was_a_pooler(postgres_url: URL) -> None:
    async with opened(postgres_url.update_query_dict({"pgbouncer": "true"})) as database:
        await database.run(partial(add, name="a"))
        await asyncio.gather(*(database.run(partial(count, name="a")) for _ in range(20)))

        assert await values(database) == {"a": 20}


async def test_servers_that_are_lost_behind_a_pooler_cost_no_write(
    bouncer: Pgbouncer, postgres: Postgres, postgres_url: URL
) -> None:
    """PgBouncer ends the transaction that was using a lost connection; it is tried again."""
    end = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"  # noqa: S608 our own name
        f" WHERE datname = '{postgres_url.database}' AND pid <> pg_backend_pid()"
    )
    async with opened(through(bouncer, postgres_url)) as database:
        await database.run(partial(add, name="a"))
        calls = []
        for _ in range(5):
            calls += [
                asyncio.ensure_future(database.run(partial(count, name="a"))) for _ in range(20)
            ]
            await asyncio.to_thread(postgres.sql, end)
        done = await asyncio.gather(*calls, return_exceptions=True)
        failed = [error for error in done if error is not None]

        assert all(isinstance(error, DatabaseUnavailable) for error in failed)
        assert len(done) - len(failed) <= (await values(database))["a"] <= len(done)
