"""Opens connections to PostgreSQL: to one of several hosts, directly or through PgBouncer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL

from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.url import postgresql_dsns, server_settings, through_pgbouncer

IDLE_TRANSACTION = "idle_in_transaction_session_timeout"
_IDLE_TRANSACTION_SECONDS = 60.0
"""After this PostgreSQL ends a transaction whose process stopped in the middle of it."""
_STATEMENT_GRACE = 2.0
"""Seconds more than a statement may take, after which the connection itself counts as lost."""
_STATEMENTS = 100
"""Prepared statements that asyncpg keeps, as it does by default."""
_LEAST_SECONDS = 1.0
"""What each of several hosts gets to answer, at least."""


class Validity:
    """Which connections are still of use: those that were opened since the last failover."""

    def __init__(self) -> None:
        """Begin with all of them."""
        self.since = 0.0

    def end(self) -> None:
        """Have every connection replaced when it is used next."""
        self.since = time.monotonic()


class Connector:
    """Opens connections, to the host first that was the right one the last time."""

    def __init__(self, url: URL, limits: Limits, name: str) -> None:
        """Connect under a name that PostgreSQL's administrators see."""
        self._dsns = postgresql_dsns(url)
        self._limits = limits
        self._pooled = through_pgbouncer(url)
        self._name = name
        self._settings = {"application_name": name, **settings(url, limits)}

    async def connect(self, *_arguments: Any, **_options: Any) -> Any:
        """Return a connection of asyncpg; what SQLAlchemy found in the URL is ignored.

        Raises:
            OSError: No host can be connected to, or none takes writes where several are given.
        """
        import asyncpg  # noqa: PLC0415 3 MiB that a service over SQLite does not need

        failures: list[Exception] = []
        for dsn in tuple(self._dsns):
            try:
                connection = await self._open(dsn)
            except (
                OSError,
                asyncpg.PostgresConnectionError,
                asyncpg.OperatorInterventionError,
            ) as error:
                failures.append(error)
            else:
                self._dsns.remove(dsn)
                self._dsns.insert(0, dsn)
                return connection
        raise failures[0]

    async def _open(self, dsn: str) -> Any:
        import asyncpg  # noqa: PLC0415

        limits, hosts = self._limits, len(self._dsns)
        # PgBouncer refuses most parameters of a session; `engine.py` sets them in each transaction.
        settings = {"application_name": self._name} if self._pooled else self._settings
        try:
            return await asyncpg.connect(
                dsn,
                timeout=max(limits.connect / hosts, min(limits.connect, _LEAST_SECONDS)),
                command_timeout=limits.statement + _STATEMENT_GRACE if limits.statement else None,
                server_settings=settings,
                statement_cache_size=0 if self._pooled else _STATEMENTS,
            )
        except asyncpg.TargetServerAttributeNotMatched as error:
            raise ConnectionError("the server does not take writes now: not the primary") from error


def settings(url: URL, limits: Limits) -> Mapping[str, str]:
    """Return PostgreSQL's settings for each transaction; parameters of the URL go before."""
    return {
        "statement_timeout": f"{limits.statement * 1000:.0f}",
        IDLE_TRANSACTION: f"{_IDLE_TRANSACTION_SECONDS * 1000:.0f}",
        **server_settings(url),
    }
