"""Migrations, up and down on SQLite and PostgreSQL, by one process and by several at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from grpc_service_kit.sql import Limits, StoreError
from grpc_service_kit.testing.polling import TIMEOUT
from grpc_service_kit.testing.processes import environment
from grpc_service_kit.testing.sql import execute, on, tables
from user_people import NOW, add, every_user, person
from user_service.domain import Creation, EmailTaken, Profile, User
from user_service.store import SCHEMA, UserStore
from user_service.store.schema import metadata


def test_the_revisions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", SCHEMA.location)
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())

    assert ("base", *(script.revision for script in reversed(scripts))) == SCHEMA.revisions


async def test_every_step_goes_up_and_down(empty_url: URL) -> None:
    steps: dict[str, set[str]] = {
        "base": set(),
        "0001": {"users"},
        "0002": {"users", "create_requests"},
        "0003": {"users", "create_requests", "page_token_key"},
    }
    assert tuple(steps) == SCHEMA.revisions
    for _ in range(2):
        for revision in (*SCHEMA.revisions, *reversed(SCHEMA.revisions)):
            await SCHEMA.make_ready(empty_url, Limits(), revision)
            assert await tables(empty_url) == steps[revision]


async def test_users_survive_the_steps_above_the_first(url: URL) -> None:
    ada = person("ada")
    async with UserStore.open(url) as store:
        await add(store, ada)
    await SCHEMA.make_ready(url, Limits(), "0001")

    async with UserStore.open(url) as store:
        assert await every_user(store) == [ada]


@pytest.mark.filterwarnings("ignore:autogenerate skipping:UserWarning")
async def test_the_tables_are_those_that_queries_see(url: URL) -> None:
    def differences(connection: Connection) -> Any:
        # SQLite says of an INTEGER PRIMARY KEY that it may be NULL, though it never is; alembic
        # cannot compare the index, which is on an expression and which the store's tests see.
        options = {"include_object": lambda thing, *_: thing.name not in {"seq", "users_email_key"}}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, metadata)

    assert await on(url, differences) == []


async def test_a_file_of_the_time_before_migrations_is_taken_over(empty_sqlite: URL) -> None:
    """The schema and the row are those of release 0.1.0."""
    with closing(sqlite3.connect(empty_sqlite.database or "")) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS users (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            " id TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE COLLATE NOCASE,"
            " name TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,"
            " updated_at INTEGER NOT NULL) STRICT"
        )
        row = ("123e4567-e89b-42d3-a456-426614174000", "ada@example.com", "ada", "member")
        microseconds = 1767323045678901
        connection.execute(
            "INSERT INTO users (id, email, name, role, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, microseconds, microseconds),
        )
        connection.commit()

    async with UserStore.open(empty_sqlite) as store:
        profile = Profile(email="ada@example.com", name="ada")
        assert await every_user(store) == [User.new(profile, NOW, row[0])]
        with pytest.raises(EmailTaken):
            await store.create([Creation(person("ADA"))])


async def test_a_table_of_somebody_else_is_not_taken_over_in_postgresql(
    empty_postgres: URL,
) -> None:
    await execute(empty_postgres, "CREATE TABLE users (x INTEGER)")
    with pytest.raises(StoreError, match='relation "users" already exists'):
        await SCHEMA.make_ready(empty_postgres, Limits())


def command(url: URL, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "user_service", "migrate", *arguments],
        env=environment(DATABASE_URL=url.render_as_string(hide_password=False)),
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_processes_that_start_at_once_migrate_once(empty_url: URL) -> None:
    processes = [command(empty_url) for _ in range(3)]
    logs = [process.communicate(timeout=3 * TIMEOUT)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], logs
    assert "".join(logs).count("Running upgrade 0001 -> 0002, create requests") == 1
    assert "users" in await tables(empty_url)


async def test_the_command_goes_down_and_up(url: URL) -> None:
    down = command(url, "--to", "base")
    _, log = down.communicate(timeout=3 * TIMEOUT)
    assert (down.returncode, await tables(url)) == (0, set()), log
    assert "Running downgrade 0001 -> , users" in log

    up = command(url)
    assert up.communicate(timeout=3 * TIMEOUT)[1]
    assert (up.returncode, "users" in await tables(url)) == (0, True)


def test_the_command_refuses_an_unknown_revision(empty_sqlite: URL) -> None:
    process = command(empty_sqlite, "--to", "7")
    _, log = process.communicate(timeout=TIMEOUT)

    assert process.returncode == 2
    assert "argument --to: invalid choice: '7'" in log
