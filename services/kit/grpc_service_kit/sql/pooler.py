"""Poolers between a service and PostgreSQL: what says that one is there, and what to do then."""

from sqlalchemy import URL, Connection, text

from grpc_service_kit.sql.connector import IDLE_TRANSACTION, settings
from grpc_service_kit.sql.errors import StoreError
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.url import PGBOUNCER, SQLITE, through_pgbouncer

_PARAMETER = "unsupported startup parameter"
_STATEMENTS = "statement pooling"
"""What PgBouncer says, in every mode of pooling and in one: https://www.pgbouncer.org/config.html."""


def problem_of(error: BaseException, url: URL) -> StoreError | None:
    """Return what to report instead of a failure to connect that a pooler will always repeat."""
    if _PARAMETER in str(error):
        return _unnamed(url)
    if _STATEMENTS in str(error):
        return StoreError(
            f"DATABASE_URL: {url!r} cannot be used: the pooler gives each statement a server, and"
            " transactions need one; set its pool_mode to transaction or session"
        )
    return None


def refuse_unnamed(connection: Connection, url: URL) -> None:
    """Raise StoreError when something drops the settings that a session begins with.

    A pooler that does so gives one server to many clients, and prepared statements get lost.
    """
    wanted = settings(url, Limits())[IDLE_TRANSACTION] if url.drivername != SQLITE else ""
    if not wanted.isdigit() or through_pgbouncer(url):  # Of a URL it may have a unit.
        return
    query = text("SELECT setting FROM pg_settings WHERE name = :name")
    if connection.execute(query, {"name": IDLE_TRANSACTION}).scalar() != wanted:
        raise _unnamed(url)


def _unnamed(url: URL) -> StoreError:
    return StoreError(
        f"DATABASE_URL: {url!r} leads to PgBouncer or another pooler; add the parameter"
        f" {PGBOUNCER}=true, or connect to PostgreSQL itself"
    )
