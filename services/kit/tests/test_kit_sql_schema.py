"""Schema: up and down on SQLite and PostgreSQL, by one process and by several at once."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import URL, text

from grpc_service_kit.sql import Limits, Schema, StoreError
from grpc_service_kit.sql.engine import make_engine
from grpc_service_kit.sql.migrate import migrate
from grpc_service_kit.sql.url import parse_url
from grpc_service_kit.testing.polling import attempts, wait_until
from grpc_service_kit.testing.postgres import Postgres, free_port, postgres_server
from grpc_service_kit.testing.sql import execute, tables
from kit_sql_counters import SCHEMA, add, opened, values

pytest_plugins = ["grpc_service_kit.testing.databases"]

STEPS = {"base": set(), "0001": {"counters"}, "0002": {"counters", "requests"}}


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


async def test_every_step_goes_up_and_down(empty_url: URL) -> None:
    assert tuple(STEPS) == SCHEMA.revisions
    for _ in range(2):
        for revision in (*STEPS, *reversed(STEPS)):
            await SCHEMA.make_ready(empty_url, Limits(), revision)
            assert await tables(empty_url) == STEPS[revision]


async def test_rows_survive_the_steps_above_theirs(url: URL) -> None:
    async with opened(url) as database:
        await database.run(lambda connection: add(connection, "a"))
    await SCHEMA.make_ready(url, Limits(), "0001")

    async with opened(url) as database:
        assert await values(database) == {"a": 0}


async def test_a_failing_run_changes_nothing(empty_url: URL) -> None:
    """The second step fails as its table exists; the first is undone with it."""
    await execute(empty_url, "CREATE TABLE requests (x INTEGER)")
    with pytest.raises(StoreError, match=r"requests.* already exists"):
        await SCHEMA.make_ready(empty_url, Limits())

    assert await tables(empty_url) == {"requests"}


@pytest.mark.parametrize("to", SCHEMA.revisions)
async def test_a_database_newer_than_the_code_is_a_clear_error(empty_url: URL, to: str) -> None:
    await SCHEMA.make_ready(empty_url, Limits())
    await execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"at revision 9999, newer than .* knows up to 0002;"):
        await SCHEMA.make_ready(empty_url, Limits(), to)


async def test_many_that_start_at_once_migrate_once(
    empty_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await asyncio.gather(*(SCHEMA.make_ready(empty_url, Limits()) for _ in range(8)))

    assert await tables(empty_url) == STEPS["0002"]
    assert caplog.text.count("Running upgrade 0001 -> 0002") == 1


async def test_the_direction_is_decided_under_the_lock(
    postgres: Postgres, empty_postgres: URL
) -> None:
    """A process that saw an empty database and waited for another's migration migrates down.

    What it saw before it had PostgreSQL's advisory lock says up: from 0002 to 0001 that fails.
    """
    engine = make_engine(empty_postgres, Limits(), "other")
    async with engine.begin() as other:
        await other.run_sync(migrate, SCHEMA.location, SCHEMA.revisions, "0002")
        waiter = asyncio.create_task(SCHEMA.make_ready(empty_postgres, Limits(), "0001"))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
        await asyncio.to_thread(wait_until, lambda: postgres.sql(waiting) == "1")
    await waiter
    await engine.dispose()

    assert await tables(empty_postgres) == STEPS["0001"]


async def test_opening_says_why_the_migration_failed(empty_url: URL) -> None:
    await execute(empty_url, "CREATE TABLE requests (x INTEGER)")
    with pytest.raises(StoreError, match=r"^DATABASE_URL: .*requests.* already exists; set"):
        async with opened(empty_url):
            pass

    assert await tables(empty_url) == {"requests"}


async def test_a_server_that_goes_away_while_a_service_starts_is_waited_for() -> None:
    """Once while the migration waits for its lock, and once before the first read."""
    with postgres_server(durable=True) as postgres:
        url = parse_url(postgres.url())
        holder = await asyncpg.connect(postgres.url())
        lock = int.from_bytes(b"migrate", "big")
        await holder.execute(f"SELECT pg_advisory_lock({lock})")
        async with AsyncExitStack() as stack:
            opening = asyncio.create_task(stack.enter_async_context(opened(url)))
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
            await asyncio.to_thread(wait_until, lambda: postgres.sql(waiting) == "1")
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
            database = await opening
            assert await tables(url) == STEPS["0002"]

            await asyncio.to_thread(postgres.kill)
            reading = asyncio.create_task(database.read_at_start(text("SELECT * FROM counters")))
            await asyncio.to_thread(postgres.start)
            assert await reading == []
        await holder.close(timeout=1)


async def test_a_directory_that_is_missing_is_named(empty_sqlite: URL) -> None:
    url = empty_sqlite.set(database=f"{empty_sqlite.database}/counters.db")
    with pytest.raises(StoreError, match=r"^DATABASE_PATH: .*/counters.db cannot be used: .*; set"):
        await SCHEMA.make_ready(url, Limits())


async def test_a_file_that_is_no_database_says_what_to_do(empty_sqlite: URL) -> None:
    file = Path(empty_sqlite.database or "")
    await asyncio.to_thread(file.write_text, "not a database " * 100)
    with pytest.raises(StoreError, match=r"file is not a database; set it to a SQLite file"):
        await SCHEMA.make_ready(empty_sqlite, Limits())


async def test_a_database_that_is_missing_is_named_at_once(postgres: Postgres) -> None:
    with pytest.raises(StoreError) as caught:
        await SCHEMA.make_ready(parse_url(postgres.url("nowhere")), Limits())

    assert str(caught.value) == (
        f"DATABASE_URL: postgresql+asyncpg://postgres@127.0.0.1:{postgres.port}/nowhere cannot be"
        ' used: database "nowhere" does not exist; set it to a database that this process can reach'
        " and may change"
    )


async def test_a_server_that_is_away_is_waited_for_and_the_password_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = parse_url(f"postgres://ada:s3cret@127.0.0.1:{free_port()}/counters")
    for attempt in attempts(0.1, 10):
        with attempt:
            with pytest.raises(
                StoreError, match=r"ada:\*\*\*@127.* cannot be used: .*Connect call failed"
            ):
                await SCHEMA.make_ready(url, Limits(start=attempt.seconds))
            assert "waiting for the database: ConnectionRefusedError" in caplog.text

    assert "s3cret" not in caplog.text
