"""SQLAlchemy engines for both databases: their pools, time limits and transactions."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.url import SQLITE, postgresql_dsn

_READ_ONLY = "read_only"
_IDLE_TRANSACTION = 60.0
"""Seconds after which PostgreSQL ends a transaction whose process stopped in the middle of it."""
_STATEMENT_GRACE = 2.0
"""Seconds more than a statement may take, after which the connection itself counts as lost."""
_LONG = 300.0
"""Seconds SQLite waits for a lock where statements have no limit."""


def make_engine(url: URL, limits: Limits, name: str) -> AsyncEngine:
    """Return an engine that connects when it is first used, under a name that PostgreSQL shows."""
    if url.drivername == SQLITE:
        return _sqlite(url, limits)
    return create_async_engine(
        url,
        async_creator=_connector(url, limits, name),
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.wait,
        pool_recycle=limits.recycle,
        pool_pre_ping=True,
        hide_parameters=True,  # They are people's data: none of it belongs into a log.
    )


def reading(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine for single reads, each of which sees one state without a transaction.

    It saves PostgreSQL the round trips of BEGIN and COMMIT, and SQLite the write lock.
    """
    if engine.url.drivername == SQLITE:
        return engine.execution_options(**{_READ_ONLY: True})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def prepare_sqlite(path: str) -> None:
    """Create the file or raise sqlite3.DatabaseError when this process cannot write it.

    With the plain driver, as aiosqlite leaves a thread behind when it cannot open the file.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Readers of other processes (backups, sqlite3 shells) do not block the service:
        # https://www.sqlite.org/wal.html.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")  # Fails on a file that can only be read.
        connection.rollback()


def _sqlite(url: URL, limits: Limits) -> AsyncEngine:
    # At DEBUG it logs every statement with its values, which are people's data.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    engine = create_async_engine(
        url,
        connect_args={"timeout": limits.statement or _LONG, "isolation_level": None},
        pool_size=1,
        max_overflow=0,
        pool_timeout=limits.wait,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: another process's write cannot come between the
        # reads and the writes of this transaction.
        if not connection.get_execution_options().get(_READ_ONLY):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _connector(url: URL, limits: Limits, name: str) -> Callable[[], Awaitable[Any]]:
    import asyncpg  # noqa: PLC0415 3 MiB that a service over SQLite does not need

    dsn = postgresql_dsn(url)
    settings = {
        "application_name": name,
        "statement_timeout": f"{limits.statement * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{_IDLE_TRANSACTION * 1000:.0f}",
    }

    async def connect() -> Any:
        return await asyncpg.connect(
            dsn,
            timeout=limits.connect,
            command_timeout=limits.statement + _STATEMENT_GRACE if limits.statement else None,
            server_settings={k: v for k, v in settings.items() if k not in url.query},
        )

    return connect
