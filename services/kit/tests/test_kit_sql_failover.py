"""A failover: what was the primary stays up but takes no writes, and another server does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Database, DatabaseUnavailable, Limits
from grpc_service_kit.sql.faults import fault_of, leaves_pool
from grpc_service_kit.sql.url import parse_url
from grpc_service_kit.testing.address import Address
from grpc_service_kit.testing.postgres import Postgres, free_port, postgres_server
from kit_sql_counters import SCHEMA, add, count, one, opened, values

READ_ONLY = "default_transaction_read_only"
PID = "SELECT pg_backend_pid()"


@dataclass
class Pair:
    """Two servers, of which one takes writes, and an address that leads to one of them."""

    servers: tuple[Postgres, Postgres]
    address: Address

    def url(self, how: str) -> URL:
        """Return the URL of the primary: its `address`, or all `hosts`."""
        if how == "address":
            return parse_url(f"postgres://postgres@127.0.0.1:{self.address.port}/postgres")
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return parse_url(f"postgres://postgres@{hosts}/postgres")

    async def fail_over(self) -> None:
        """Have the other server be the primary; connections to the first one stay open."""
        old, new = self.servers
        await asyncio.to_thread(new.set, READ_ONLY, "off")
        await asyncio.to_thread(old.set, READ_ONLY, "on")
        self.address.target = new.port


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    """Two servers with the tables of the tests."""
    with postgres_server() as first, postgres_server() as second:
        for server in (first, second):
            asyncio.run(SCHEMA.make_ready(parse_url(server.url()), Limits()))
        yield first, second


@pytest.fixture
async def pair(servers: tuple[Postgres, Postgres]) -> AsyncIterator[Pair]:
    """The servers, without any counter, before the failover."""
    for server in servers:
        server.set(READ_ONLY, "off")
        server.sql("TRUNCATE counters")
    servers[1].set(READ_ONLY, "on")
    pair = Pair(servers, Address(servers[0].port))
    async with pair.address.listening():
        yield pair


@pytest.mark.parametrize("how", ["address", "hosts"])
async def test_no_write_fails_or_happens_twice_when_the_primary_changes(
    how: str, pair: Pair
) -> None:
    """Every connection of the pool is to the old one, and each of ten writers goes on."""
    over = asyncio.Event()
    async with opened(pair.url(how)) as database:
        for number in range(10):
            name = f"w{number}"
            await asyncio.gather(*(_add(server, name) for server in pair.servers))
        writers = [asyncio.create_task(_write(database, f"w{n}", over)) for n in range(10)]
        await asyncio.sleep(0.3)
        await pair.fail_over()
        await asyncio.sleep(0.3)
        await database.check()
        over.set()
        acknowledged = await asyncio.gather(*writers)

    written = [
        sum(int(s.sql(f"SELECT value FROM counters WHERE name = 'w{n}'")) for s in pair.servers)  # noqa: S608 our own
        for n in range(10)
    ]
    assert written == list(acknowledged)
    assert min(written) > 0
    assert int(pair.servers[1].sql("SELECT sum(value) FROM counters")) > 0


async def _add(server: Postgres, name: str) -> None:
    statement = f"INSERT INTO counters VALUES ('{name}', 0)"  # noqa: S608 our own name
    await asyncio.to_thread(server.sql, f"BEGIN READ WRITE; {statement}; COMMIT")


async def _write(database: Database, name: str, over: asyncio.Event) -> int:
    done = 0
    while not over.is_set():
        await database.run(partial(count, name=name))
        done += 1
    return done


async def test_reads_follow_the_primary_once_health_has_seen_the_failover(pair: Pair) -> None:
    await _add(pair.servers[1], "new")
    async with opened(pair.url("address")) as database:
        await asyncio.gather(*(values(database) for _ in range(10)))
        await database.check()
        await pair.fail_over()
        await database.check()

        assert await asyncio.gather(*(values(database) for _ in range(10))) == [{"new": 0}] * 10


async def test_health_sees_a_primary_that_takes_no_writes_and_its_return(pair: Pair) -> None:
    primary = pair.servers[0]
    async with opened(parse_url(primary.url())) as database:
        await database.check()
        await asyncio.to_thread(primary.set, READ_ONLY, "on")

        with pytest.raises(DatabaseUnavailable, match=r"^the database takes no writes: it is not"):
            await database.check()
        with pytest.raises(DatabaseUnavailable, match=r"cannot be reached now; send"):
            await database.run(partial(add, name="a"))
        assert await values(database) == {}  # What was there before can be read.

        await asyncio.to_thread(primary.set, READ_ONLY, "off")
        await database.check()
        await database.run(partial(add, name="a"))


async def test_of_several_hosts_those_that_are_away_are_left_out(pair: Pair) -> None:
    away, primary = free_port(), pair.servers[0].port
    hosts = f"127.0.0.1:{away},127.0.0.1:{pair.servers[1].port},127.0.0.1:{primary}"
    async with opened(parse_url(f"postgres://postgres@{hosts}/postgres")) as database:
        assert await database.run(lambda c: one(c, "SHOW port")) == primary


async def test_a_transaction_whose_commit_may_have_happened_is_not_tried_again(
    pair: Pair,
) -> None:
    """The session ends while it commits, in a constraint that is checked then."""
    primary = pair.servers[0]
    primary.sql(
        "CREATE OR REPLACE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60);"
        " RETURN NULL; END $$;"
        "DROP TRIGGER IF EXISTS at_commit ON counters;"
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON counters"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_session()"
    )
    attempts = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal attempts
        attempts += 1
        await add(connection, "a")

    try:
        async with opened(parse_url(primary.url())) as database:
            with pytest.raises(DatabaseUnavailable):
                await database.run(work)
    finally:
        primary.sql("DROP TRIGGER at_commit ON counters")

    assert attempts == 1


async def test_what_says_that_another_connection_is_needed_gets_one(pair: Pair) -> None:
    """Twice, on another connection each time; the third attempt is done."""
    async with opened(pair.url("address"), connections=1) as database:
        for state in (
            *("25006", "25P03", "26000", "42P05", "53300"),
            *("57P01", "57P02", "57P03", "57P05", "08000", "08006", "08P01"),
        ):
            pids: list[int] = []
            await database.run(partial(_refused_twice, state=state, pids=pids))

            assert len(set(pids)) == 3, state


async def _refused_twice(connection: AsyncConnection, state: str, pids: list[int]) -> None:
    pids.append(await one(connection, PID))
    if len(pids) < 3:
        await connection.execute(text(raising(state)))


def raising(state: str) -> str:
    """Return a statement that fails with a SQLSTATE."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"


async def test_a_connection_with_left_overs_is_replaced_but_the_mistake_reported(
    pair: Pair,
) -> None:
    async with opened(pair.url("address"), connections=1) as database:
        for state in ("25001", "25P01", "25P02"):
            before = await database.run(partial(one, statement=PID))
            with pytest.raises(DBAPIError) as caught:
                await database.run(partial(one, statement=raising(state)))

            assert fault_of(caught.value) is None
            assert leaves_pool(caught.value)
            assert await database.run(partial(one, statement=PID)) != before


async def test_what_waiting_again_would_not_help_is_not_tried_again(pair: Pair) -> None:
    async with opened(pair.url("address")) as database:
        for state in ("57014", "55P03", "53100", "58030"):
            attempts = 0

            async def work(connection: AsyncConnection, state: str = state) -> None:
                nonlocal attempts
                attempts += 1
                await connection.execute(text(raising(state)))

            with pytest.raises(DatabaseUnavailable):
                await database.run(work)
            assert attempts == 1, state
