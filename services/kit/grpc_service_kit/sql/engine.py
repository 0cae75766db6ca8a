"""SQLAlchemy engines for both databases: their pools, time limits and transactions."""

import logging
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from grpc_service_kit.sql.connector import Connector, Validity, settings
from grpc_service_kit.sql.faults import is_read_only, leaves_pool
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.url import SQLITE, through_pgbouncer

_READ_ONLY = "read_only"
_OPENED = "opened"
_LONG = 300.0
"""Seconds SQLite waits for a lock where statements have no limit."""


def make_engine(
    url: URL, limits: Limits, name: str, validity: Validity | None = None
) -> AsyncEngine:
    """Return an engine that connects when it is first used.

    Args:
        url: Which database.
        limits: Of connections and times.
        name: What PostgreSQL shows for its connections.
        validity: Shared by all engines of one database; ended when a server turns out to have
            become a standby.
    """
    if url.drivername == SQLITE:
        return _sqlite(url, limits)
    return _postgresql(url, limits, name, validity or Validity())


def reading(engine: AsyncEngine, url: URL) -> AsyncEngine:
    """Return the same engine for single reads, each of which sees one state without a transaction.

    It saves PostgreSQL the round trips of BEGIN and COMMIT, and SQLite the write lock. PgBouncer
    could give each part of a statement to another server.
    """
    if url.drivername == SQLITE:
        return engine.execution_options(**{_READ_ONLY: True})
    if through_pgbouncer(url):
        return engine
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


def _postgresql(url: URL, limits: Limits, name: str, validity: Validity) -> AsyncEngine:
    pooled = through_pgbouncer(url)
    # Through PgBouncer no statement is kept: the next transaction may go to another server. Without
    # a name a statement is replaced by the next one, so that none is left behind.
    driver = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    engine = create_async_engine(
        url.set(host=None, port=None, query={}),
        connect_args={
            "async_creator_fn": Connector(url, limits, name).connect,
            **(driver if pooled else {}),
        },
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.wait,
        pool_recycle=limits.recycle,
        pool_pre_ping=True,
        hide_parameters=True,  # They are people's data: none of it belongs into a log.
    )
    _replace_connections(engine.sync_engine, validity)
    if pooled:
        _set_in_transactions(engine.sync_engine, settings(url, limits))
    return engine


def _replace_connections(engine: Engine, validity: Validity) -> None:
    """Have connections leave the pool that lead to a server that does not serve them any more."""

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        error = context.original_exception
        if leaves_pool(error):
            context.is_disconnect = True
        if is_read_only(error):
            validity.end()

    @event.listens_for(engine, "connect")
    def opened(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_OPENED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def used(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info[_OPENED] < validity.since:
            raise DisconnectionError  # The pool opens another one in its place.


def _set_in_transactions(engine: Engine, values: Mapping[str, str]) -> None:
    """Set at the begin of each transaction what PgBouncer does not let a session begin with."""
    pairs = tuple(values.items())
    calls = ", ".join(f"set_config(${n}, ${n + 1}, true)" for n in range(1, 2 * len(pairs), 2))
    arguments = tuple(word for pair in pairs for word in pair)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {calls}", arguments)
