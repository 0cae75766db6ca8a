"""RequestIds: of many tries with one id, all but one get the first."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, MetaData, text

from grpc_service_kit.sql import (
    Database,
    Request,
    RequestIds,
    Schema,
    fingerprint,
    request_ids_table,
)
from kit_sql_counters import SCHEMA, one, opened

pytest_plugins = ["grpc_service_kit.testing.databases"]

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DAY = timedelta(days=1)
TABLE = request_ids_table("requests", MetaData())


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


def request(request_id: str = "", content: str = "x", at: datetime = NOW) -> Request:
    """Return a request to create something."""
    return Request(
        request_id=request_id or str(uuid.uuid4()),
        fingerprint=fingerprint(content),
        resource_id=str(uuid.uuid4()),
        created_at=at,
    )


async def claim(
    database: Database, requests: Sequence[Request], ids: RequestIds | None = None
) -> dict[str, Request]:
    """Claim requests in a transaction of their own."""
    claimed = ids or RequestIds(TABLE, DAY)
    return dict(await database.run(lambda connection: claimed.claim(connection, requests)))


async def test_the_first_try_is_returned_to_those_that_follow(url: URL) -> None:
    first, other = request(), request()
    again = request(first.request_id, "y", NOW + DAY)
    async with opened(url) as database:
        assert await claim(database, [first]) == {}
        assert await claim(database, [again, other]) == {first.request_id: first}
        assert await claim(database, [again, other]) == {
            first.request_id: first,
            other.request_id: other,
        }
        assert await claim(database, []) == {}


async def test_a_request_is_forgotten_when_its_time_is_over(url: URL) -> None:
    first = request()
    late = request(first.request_id, "y", NOW + DAY + timedelta(microseconds=1))
    async with opened(url) as database:
        await claim(database, [first])

        assert await claim(database, [late]) == {}
        assert await claim(database, [first]) == {first.request_id: late}


async def test_a_transaction_that_fails_leaves_the_id_free(url: URL) -> None:
    first = request()
    ids = RequestIds(TABLE, DAY)
    async with opened(url) as database:
        with pytest.raises(ZeroDivisionError):
            await database.run(lambda connection: _fail(ids.claim(connection, [first])))

        assert await claim(database, [first]) == {}


async def _fail(claimed: "asyncio.Future[object] | object") -> None:
    await claimed  # type: ignore[misc]
    raise ZeroDivisionError


async def test_of_many_at_once_one_is_the_first(url: URL) -> None:
    """Two processes, with the same two ids in crossing order."""
    one_id, two_id = str(uuid.uuid4()), str(uuid.uuid4())
    async with opened(url) as here, opened(url) as there:
        known = await asyncio.gather(
            *(
                claim(database, [request(ids[0]), request(ids[1])])
                for database in (here, there) * 5
                for ids in ((one_id, two_id), (two_id, one_id))
            )
        )

    assert [len(found) for found in known].count(0) == 1
    assert [len(found) for found in known].count(2) == 19


async def test_expired_rows_are_removed_while_new_ones_come(url: URL) -> None:
    ids = RequestIds(TABLE, DAY)
    async with opened(url) as database:
        await claim(database, [request() for _ in range(200)])
        for _ in range(2):
            await claim(database, [request(at=NOW + 2 * DAY) for _ in range(64)], ids)
        count = await database.run(
            lambda connection: one(connection, "SELECT count(*) FROM requests")
        )
        (row,) = await database.read(text("SELECT count(*) FROM requests"))

    assert count == row[0] == 2 * 64


def test_a_fingerprint_is_of_the_content() -> None:
    same = fingerprint("a", 1, None)

    assert fingerprint("a", 1, None) == same
    assert (
        len({same, fingerprint("a", 1), fingerprint("a", "1", None), fingerprint("a1", None)}) == 4
    )
