"""Revisions: the steps of a service's tables, and the one that a database is at."""

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text

from grpc_service_kit.sql.errors import StoreError

BASE = "base"
"""alembic's name for a database without any table of the service."""


def current(connection: Connection, revisions: Sequence[str]) -> str:
    """Return the revision of the database, one of `revisions` (oldest first, BASE included).

    Raises StoreError for a revision that this code does not know.
    """
    revision = BASE
    if inspect(connection).has_table("alembic_version"):
        query = text("SELECT version_num FROM alembic_version")
        revision = connection.execute(query).scalar() or BASE
    if revision not in revisions:
        raise StoreError(
            f"the database is at revision {revision}, newer than this version of the service,"
            f" which knows up to {revisions[-1]}; run the version that made it, or migrate down"
            " with that one"
        )
    return revision
