"""Code that is older than the tables: it starts when every newer step is marked as compatible."""

from dataclasses import replace

import pytest
from sqlalchemy import URL

from grpc_service_kit.sql import Limits, Schema, StoreError
from grpc_service_kit.testing.sql import execute, scalar, tables
from kit_sql_counters import SCHEMA, add, values

pytest_plugins = ["grpc_service_kit.testing.databases"]

OLD = replace(SCHEMA, versions=("0001",))
NEW = replace(SCHEMA, compatible=frozenset({"0002"}))


@pytest.fixture
def schema() -> Schema:
    """The tables that the databases of these tests have."""
    return SCHEMA


async def test_the_version_before_a_compatible_step_starts_and_changes_nothing(
    empty_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    await NEW.make_ready(empty_url, Limits())
    for _ in range(2):
        async with OLD.open(empty_url, Limits()) as database:
            await database.run(lambda connection: add(connection, "a"))
            await database.check()
        await execute(empty_url, "DELETE FROM counters")

    assert "the database is newer than this version, and compatible with it" in caplog.text
    assert await scalar(empty_url, "SELECT version_num FROM alembic_version") == "0002"
    async with NEW.open(empty_url, Limits()) as database:  # And forward again.
        assert await values(database) == {}


async def test_a_step_that_is_not_marked_keeps_older_code_out(empty_url: URL) -> None:
    await SCHEMA.make_ready(empty_url, Limits())
    with pytest.raises(StoreError, match=r"at revision 0002, newer than .* knows up to 0001;"):
        await OLD.make_ready(empty_url, Limits())


async def test_of_several_steps_each_must_be_marked(empty_url: URL) -> None:
    """Code of 0001 starts with 0002 only if 0002 is marked, and with base never."""
    await NEW.make_ready(empty_url, Limits())
    await OLD.make_ready(empty_url, Limits())
    older = replace(SCHEMA, versions=())
    with pytest.raises(StoreError, match=r"at revision 0002, newer than .* knows up to base;"):
        await older.make_ready(empty_url, Limits())


async def test_what_was_noted_of_another_revision_says_nothing(empty_url: URL) -> None:
    """Code of a kit that notes nothing has migrated further."""
    await NEW.make_ready(empty_url, Limits())
    await execute(empty_url, "UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(StoreError, match=r"at revision 0003, newer than .* knows up to 0001;"):
        await OLD.make_ready(empty_url, Limits())


async def test_older_code_migrates_nothing_down(empty_url: URL) -> None:
    await NEW.make_ready(empty_url, Limits())
    with pytest.raises(StoreError, match=r"cannot migrate it to base; migrate with the version"):
        await OLD.make_ready(empty_url, Limits(), "base")

    assert await tables(empty_url) == {"counters", "requests"}
    await NEW.make_ready(empty_url, Limits(), "base")
    await OLD.make_ready(empty_url, Limits())
    assert await tables(empty_url) == {"counters"}


def test_a_mark_without_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="compatible: 0003 is not one of versions"):
        replace(SCHEMA, compatible=frozenset({"0003"}))
