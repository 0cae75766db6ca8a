"""Revisions: the steps of a service's tables, and the one that a database is at."""

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text

from grpc_service_kit.sql.errors import StoreError

BASE = "base"
"""alembic's name for a database without any table of the service."""
_TABLE = "alembic_version"
_NOTE = "compatible"
"""A column of ours in alembic's table, which its autogenerate leaves alone: the revision, and the
oldest one whose code can work with its tables, as `0003 0001`. A kit that notes nothing leaves it,
and then it is about another revision than the table's."""


def current(connection: Connection, revisions: Sequence[str]) -> str:
    """Return the revision of the database, one of `revisions` (oldest first, BASE included).

    Of a database that is newer but can be used by this code, it is the newest of `revisions`.
    Raises StoreError for any other revision that this code does not know.
    """
    revision = _recorded(connection)
    if revision in revisions:
        return revision
    if _oldest(connection, revision) in revisions:
        return revisions[-1]
    raise StoreError(
        f"the database is at revision {revision}, newer than this version of the service,"
        f" which knows up to {revisions[-1]}; run the version that made it, or migrate down"
        " with that one"
    )


def is_newer(connection: Connection, revisions: Sequence[str]) -> bool:
    """Whether the database is at a revision that this code does not know."""
    return _recorded(connection) not in revisions


def record_oldest(connection: Connection, oldest: str) -> None:
    """Note which code can work with the tables as they are now, for code that is older."""
    revision = _recorded(connection)
    if revision == BASE:
        return  # Any code can begin with an empty database.
    if _NOTE not in _columns(connection):
        connection.execute(text(f"ALTER TABLE {_TABLE} ADD COLUMN {_NOTE} VARCHAR(65)"))
    note = {"note": f"{revision} {oldest}"}
    connection.execute(text(f"UPDATE {_TABLE} SET {_NOTE} = :note"), note)  # noqa: S608 constants


def _recorded(connection: Connection) -> str:
    return _value(connection, "version_num") or BASE


def _oldest(connection: Connection, revision: str) -> str | None:
    """Return the oldest revision whose code works; None when nothing is noted of this revision."""
    noted, _, oldest = _value(connection, _NOTE).partition(" ")
    return oldest if noted == revision else None


def _value(connection: Connection, column: str) -> str:
    """Return what the table says; nothing if it does not."""
    if column not in _columns(connection):
        return ""
    query = text(f"SELECT {column} FROM {_TABLE}")  # noqa: S608 constants
    return str(connection.execute(query).scalar() or "")


def _columns(connection: Connection) -> set[str]:
    inspector = inspect(connection)
    if not inspector.has_table(_TABLE):
        return set()
    return {column["name"] for column in inspector.get_columns(_TABLE)}
