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
_LOST_CLASSES = {"08", "53", "57"}  # connection, insufficient resources, operator intervention
_LOST = {
    "25006",  # read_only_sql_transaction: connected to what was the primary
    "25P03",  # idle_in_transaction_session_timeout
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
    LOST = "lost"
    """The database is away or stuck; the transaction may have happened if it was at its end."""
    EXHAUSTED = "exhausted"
    """No connection was free in time; nothing has happened."""
    DUPLICATE = "duplicate"
    """A unique value exists already; nothing has happened."""


def fault_of(error: BaseException) -> Fault | None:
    """Return what a failure means; None for one that only a programming mistake explains."""
    if isinstance(error, PoolTimeoutError):
        return Fault.EXHAUSTED
    if isinstance(error, OSError):  # A connection cannot be opened, or (TimeoutError) is stuck.
        return Fault.LOST
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return Fault.LOST
    if isinstance(error, IntegrityError):
        return Fault.DUPLICATE
    return _by_state(sqlstate(error)) or _by_sqlite(error)


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
    return Fault.LOST if state in _LOST or state[:2] in _LOST_CLASSES else None


def _by_sqlite(error: DBAPIError) -> Fault | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return Fault.LOST if code is not None and code & 0xFF in _SQLITE_LOST else None
