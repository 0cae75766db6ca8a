"""What a failure of the database means for the call it happened in.

SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html. SQLite's result
codes: https://www.sqlite.org/rescode.html.
"""

from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_CLASHES = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "0A000",  # "cached statement plan is invalid": another process has migrated the schema
}
_READ_ONLY = "25006"  # read_only_sql_transaction: connected to what was the primary
_MOVED_CLASSES = {"08"}  # connection exceptions, PgBouncer's own among them
_MOVED = {
    _READ_ONLY,
    "25P03",  # idle_in_transaction_session_timeout
    "26000",  # invalid_sql_statement_name: a pooler has changed servers
    "42P05",  # duplicate_prepared_statement: likewise
    "53300",  # too_many_connections
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now: starts, ends, or a standby that is not consistent yet
    "57P05",  # idle_session_timeout
}
_LEFT_OVER = {
    "25001",  # active_sql_transaction: something another transaction has left behind
    "25P01",  # no_active_sql_transaction
    "25P02",  # in_failed_sql_transaction
}
_LOST_CLASSES = {"53", "57"}  # insufficient resources, operator intervention
_LOST = {
    "40003",  # statement_completion_unknown
    "55P03",  # lock_not_available
    "58030",  # io_error
}
# BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL; the lowest byte is the kind of error.
_SQLITE_LOST = {5, 6, 8, 10, 13, 14, 15}


class Fault(Enum):
    """What to do about a failure."""

    CLASH = "clash"
    """The transaction did not happen, because of another one: try it again."""
    MOVED = "moved"
    """The connection is of no use any more: its server ends, or is not the primary. Another
    connection may do; the transaction may have happened only if it was being committed."""
    LOST = "lost"
    """The database is stuck or full; the transaction may have happened if it was at its end."""
    EXHAUSTED = "exhausted"
    """No connection was free in time; nothing has happened."""
    DUPLICATE = "duplicate"
    """A unique value exists already; nothing has happened."""


def fault_of(error: BaseException) -> Fault | None:
    """Return what a failure means; None for one that only a programming mistake explains."""
    if isinstance(error, PoolTimeoutError):
        return Fault.EXHAUSTED
    if _timed_out(error):  # A connection cannot be opened, or is stuck.
        return Fault.LOST
    if isinstance(error, DBAPIError):
        return _of_driver(error)
    return Fault.MOVED if isinstance(error, OSError) else None


def _of_driver(error: DBAPIError) -> Fault | None:
    if error.connection_invalidated and sqlstate(error) not in _LEFT_OVER:
        return Fault.MOVED
    if isinstance(error, IntegrityError):
        return Fault.DUPLICATE
    return _by_state(sqlstate(error)) or _by_sqlite(error)


def leaves_pool(error: BaseException) -> bool:
    """Whether the connection of a failure must not be used again."""
    state = sqlstate(error)
    return state in _MOVED or state in _LEFT_OVER or state[:2] in _MOVED_CLASSES


def is_read_only(error: BaseException) -> bool:
    """Whether the server takes no writes: it is not the primary, or not any more."""
    return sqlstate(error) == _READ_ONLY


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of PostgreSQL's error, which the driver's own exception carries."""
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if state:
            return str(state)
        cause = cause.__cause__
    return ""


def described(error: BaseException) -> str:
    """Return a failure in a few words for the log: its kind, and never a value of a statement."""
    cause = getattr(error, "orig", None) or error
    name = type(cause).__name__
    if isinstance(cause, OSError):
        return f"{name}: {cause}" if str(cause) else name
    code = sqlstate(error) or getattr(cause, "sqlite_errorname", "")
    return f"{name} {code}".strip()


def _by_state(state: str) -> Fault | None:
    if state in _CLASHES:
        return Fault.CLASH
    if state in _MOVED or state[:2] in _MOVED_CLASSES:
        return Fault.MOVED
    return Fault.LOST if state in _LOST or state[:2] in _LOST_CLASSES else None


def _timed_out(error: BaseException) -> bool:
    """Whether a limit of time ended it: what was asked for may still be going on."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return True
        cause = cause.__cause__
    return False


def _by_sqlite(error: DBAPIError) -> Fault | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return Fault.LOST if code is not None and code & 0xFF in _SQLITE_LOST else None
