"""Limits: how much of a database one process uses, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """All times in seconds."""

    start: float = 30.0
    """How long to wait at start for a database that does not answer yet."""
    connections: int = 10
    """Most connections to PostgreSQL. SQLite has one, as it lets one transaction write at a time:
    https://www.sqlite.org/isolation.html."""
    wait: float = 5.0
    """How long a call waits for one of them to be free."""
    connect: float = 5.0
    """How long it may take to open a connection."""
    statement: float = 10.0
    """How long one statement may run or wait for a lock; 0 is without limit."""
    recycle: float = 1800.0
    """After how long a connection is replaced, so that load balancers of databases (and new
    certificates, and new addresses of a host name) are followed."""
