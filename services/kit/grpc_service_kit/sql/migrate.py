"""Runs the migrations: all steps of one run are one transaction, and one process at a time."""

import logging
from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from grpc_service_kit.sql.revisions import current, is_newer, record_oldest

_LOCK = int.from_bytes(b"migrate", "big")
"""PostgreSQL's advisory locks are numbers, and each database has its own."""


def migrate(
    connection: Connection,
    location: str,
    revisions: Sequence[str],
    to: str,
    oldest: str | None = None,
) -> None:
    """Migrate up or down to a revision in the transaction that the connection is in.

    `oldest` is the oldest revision whose code can work with the tables then; by default `to`.

    SQLite's transaction holds the write lock already. PostgreSQL's gets a lock that ends with the
    transaction, also when the process dies. The direction is decided under the lock: while this
    process waited for it, another one may have migrated.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # Calls wait behind a migration that waits for a table: rather fail and try again.
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    if is_newer(connection, revisions):
        current(connection, revisions)  # Raises, or there is nothing to do for this code.
        return
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", location)
    config.attributes["connection"] = connection
    down = revisions.index(to) < revisions.index(current(connection, revisions))
    (command.downgrade if down else command.upgrade)(config, to)
    record_oldest(connection, oldest or to)
