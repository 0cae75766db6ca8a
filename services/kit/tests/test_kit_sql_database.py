"""What calls see when the database clashes, is full, is stuck or goes away."""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import DatabaseOverloaded, DatabaseUnavailable, Limits, Schema
from grpc_service_kit.sql.url import parse_url
from grpc_service_kit.testing.polling import TIMEOUT, attempts
from grpc_service_kit.testing.postgres import Postgres, postgres_server
from kit_sql_counters import SCHEMA, add, count, one, opened, values

pytest_plugins = ["grpc_service_kit.testing.databases"]

AWAY = "^the database cannot be reached now; send the request again later$"


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


@pytest.fixture(scope="module")
def breakable() -> Iterator[Postgres]:
    """A PostgreSQL server to kill."""
    with postgres_server(durable=True) as server:
        yield server


async def test_serialization_failures_are_tried_again(
    postgres: Postgres, postgres_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    """With the strictest isolation PostgreSQL fails transactions that READ COMMITTED queues."""
    name = postgres_url.database
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_isolation = serializable")
    caplog.set_level("INFO")
    async with opened(postgres_url) as database:
        await database.run(lambda connection: add(connection, "a"))
        await asyncio.gather(
            *(database.run(lambda connection: count(connection, "a")) for _ in range(10))
        )

        assert await values(database) == {"a": 10}
    assert re.search(r"attempt 1 clashed: \w+ 40001", caplog.text)


async def test_a_deadlock_is_tried_again(postgres_url: URL) -> None:
    """Two transactions lock two rows the other way round, each holding one when both go on."""
    async with opened(postgres_url) as database:
        for name in "ab":
            await database.run(partial(add, name=name))
        both = asyncio.Barrier(2)
        tries = []

        async def count_both(first: str, second: str) -> None:
            attempts = 0

            async def work(connection: AsyncConnection) -> None:
                nonlocal attempts
                attempts += 1
                await count(connection, first)
                if attempts == 1:
                    await both.wait()
                await count(connection, second)

            await database.run(work)
            tries.append(attempts)

        await asyncio.gather(count_both("a", "b"), count_both("b", "a"))

        assert min(tries) == 1
        assert max(tries) > 1
        assert await values(database) == {"a": 2, "b": 2}


async def test_a_transaction_that_always_clashes_ends_as_unavailable(postgres_url: URL) -> None:
    attempts = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal attempts
        attempts += 1
        raise_it = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"
        await connection.execute(text(raise_it))

    async with opened(postgres_url) as database:
        with pytest.raises(
            DatabaseUnavailable, match=r"^too many others change the same data; send"
        ):
            await database.run(work)

    assert attempts == 8


async def test_a_schema_that_another_replica_changes_is_no_error(
    postgres: Postgres, postgres_url: URL
) -> None:
    async with opened(postgres_url) as database:
        await database.run(lambda connection: add(connection, "a"))
        for _ in range(10):  # Every connection of the pool has the query prepared.
            await asyncio.gather(*(values(database) for _ in range(10)))
        wider = "ALTER TABLE counters ALTER name TYPE varchar(300)"
        await asyncio.to_thread(postgres.sql, wider, postgres_url.database or "")

        assert await asyncio.gather(*(values(database) for _ in range(10))) == [{"a": 0}] * 10


async def test_a_programming_mistake_stays_what_it_is(url: URL) -> None:
    async with opened(url) as database:
        with pytest.raises((ProgrammingError, OperationalError), match="nothing"):
            await database.run(lambda connection: one(connection, "SELECT nothing"))

        assert await database.run(one) == 1


async def test_when_all_connections_are_in_use_the_error_says_so(url: URL) -> None:
    """Health still says that the database is reachable: it is the calls that are too many."""
    free = asyncio.Event()

    async def hold(connection: AsyncConnection) -> int:
        await free.wait()
        return await one(connection)

    async with opened(url, connections=1, wait=0.1) as database:
        holding = asyncio.create_task(database.run(hold))
        await asyncio.sleep(0)
        for call in (database.run(one), database.read(text("SELECT 1"))):
            with pytest.raises(
                DatabaseOverloaded,
                match=r"^all connections to the database were in use for 0.1s; send",
            ):
                await call
        await database.check()
        free.set()

        assert await holding == 1
        assert await database.run(one) == 1


async def test_a_slow_statement_is_ended(postgres_url: URL) -> None:
    sleep = "SELECT 1 FROM pg_sleep(600)"
    for attempt in attempts(0.2, 2, 20):
        with attempt:
            async with opened(postgres_url, connections=1, statement=attempt.seconds) as database:
                with pytest.raises(DatabaseUnavailable, match=AWAY):
                    await database.run(lambda connection: one(connection, sleep))

                assert await database.run(one) == 1


async def test_a_connection_that_hangs_is_given_up(breakable: Postgres) -> None:
    """A server that no longer answers, as behind a network that swallows packets."""
    for attempt in attempts(0.1, 1, 10):
        with attempt:
            await _hanging(parse_url(breakable.url()), attempt.seconds)


async def _hanging(url: URL, statement_seconds: float) -> None:
    async with opened(url, connections=1, statement=statement_seconds) as database:
        pid = await database.run(lambda connection: one(connection, "SELECT pg_backend_pid()"))
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseUnavailable, match=AWAY):
                await database.run(one)
        finally:
            os.kill(pid, signal.SIGCONT)

        assert await database.run(one) == 1


async def test_a_connection_lost_in_the_middle_is_unavailable(
    postgres: Postgres, postgres_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    async def lose(connection: AsyncConnection) -> int:
        pid = await one(connection, "SELECT pg_backend_pid()")
        await asyncio.to_thread(postgres.sql, f"SELECT pg_terminate_backend({pid})")
        return await one(connection)

    async with opened(postgres_url, connections=1) as database:
        with pytest.raises(DatabaseUnavailable, match=AWAY):
            await database.run(lose)

        assert await database.run(one) == 1
    assert "database: " in caplog.text


async def test_connections_lost_while_idle_are_replaced_unseen(
    postgres: Postgres, postgres_url: URL
) -> None:
    async with opened(postgres_url) as database:
        await asyncio.gather(*(database.run(one) for _ in range(10)))
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 our own name
            f" WHERE pid <> pg_backend_pid() AND datname = '{postgres_url.database}'"
        )

        assert await asyncio.gather(*(database.run(one) for _ in range(10))) == [1] * 10
        rows = await database.read(text("SELECT 1"))
        assert [tuple(row) for row in rows] == [(1,)]


async def test_a_server_that_dies_is_unavailable_and_its_return_is_noticed(
    breakable: Postgres,
) -> None:
    async with opened(parse_url(breakable.url())) as database:
        await database.run(lambda connection: add(connection, "a"))
        await database.check()
        breakable.kill()
        for call in (
            database.run(lambda connection: count(connection, "a")),
            database.read(text("SELECT 1")),
        ):
            with pytest.raises(DatabaseUnavailable, match=AWAY):
                await call
        with pytest.raises(DatabaseUnavailable, match=r"^the database does not answer: "):
            await database.check()

        await asyncio.to_thread(breakable.start)

        await database.check()
        assert await values(database) == {"a": 0}


async def test_a_server_that_is_starting_is_waited_for(breakable: Postgres) -> None:
    breakable.kill()
    opening = asyncio.create_task(SCHEMA.make_ready(parse_url(breakable.url()), Limits()))
    await asyncio.to_thread(breakable.start)
    async with asyncio.timeout(TIMEOUT):
        await opening


async def test_a_file_that_another_process_keeps_locked_is_unavailable(sqlite_url: URL) -> None:
    async with opened(sqlite_url, statement=0.1) as database:
        with closing(sqlite3.connect(sqlite_url.database or "")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseUnavailable, match=AWAY):
                await database.run(lambda connection: add(connection, "a"))
            assert await values(database) == {}  # Reading goes on.
            await database.check()
        await database.run(lambda connection: add(connection, "a"))


async def test_what_has_begun_is_finished_when_its_caller_gives_up(url: URL) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(connection: AsyncConnection) -> None:
        await add(connection, "a")
        begun.set()
        await go_on.wait()

    async with opened(url) as database:
        call = asyncio.create_task(database.run(work))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        go_on.set()
    async with opened(url) as database:
        assert await values(database) == {"a": 0}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("turns", range(1, 9))
async def test_no_task_is_left_of_a_caller_that_is_cancelled(url: URL, turns: int) -> None:
    """However far it was: one that never ends would keep the event loop from closing."""
    before = asyncio.all_tasks()
    async with opened(url) as database:
        call = asyncio.create_task(database.run(lambda connection: add(connection, "a")))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert asyncio.all_tasks() <= before


async def test_postgresql_shows_whose_connections_there_are(postgres_url: URL) -> None:
    async with opened(postgres_url) as database:
        query = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"

        assert [row[0] for row in await database.read(text(query))] == ["counters"]
