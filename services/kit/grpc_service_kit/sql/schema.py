"""Schema: brings a database to the tables of this code, and opens it.

A database is ready when it answers, can be written, and has been migrated.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_service_kit.sql.database import Database
from grpc_service_kit.sql.engine import make_engine, prepare_sqlite
from grpc_service_kit.sql.errors import StoreError
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.pooler import refuse_unnamed
from grpc_service_kit.sql.revisions import BASE, current, is_newer
from grpc_service_kit.sql.url import SQLITE
from grpc_service_kit.sql.waiting import wait_for_database

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The tables of one service, as its migrations make them."""

    name: str
    """The service's name, which PostgreSQL shows for its connections."""
    location: str
    """The package of alembic's scripts: `user_service.store:migrations`."""
    versions: tuple[str, ...]
    """The revisions in it, oldest first. A start must not read all scripts to find the newest."""

    compatible: frozenset[str] = frozenset()
    """Those of `versions` that only add what the code before them need not know: tables, indexes,
    and columns that may be left out. That code then starts with them, as a rollback needs."""

    def __post_init__(self) -> None:
        if unknown := sorted(self.compatible - set(self.versions)):
            raise ValueError(f"compatible: {', '.join(unknown)} is not one of versions")

    @property
    def revisions(self) -> tuple[str, ...]:
        """All that the database can be at: empty, then each version."""
        return (BASE, *self.versions)

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]

    @asynccontextmanager
    async def open(self, url: URL, limits: Limits) -> AsyncIterator[Database]:
        """Make the database ready, migrations included, and use it; raise StoreError."""
        await self.make_ready(url, limits)
        database = Database(url, limits, self.name)
        try:
            yield database
        finally:
            await database.close()

    async def make_ready(self, url: URL, limits: Limits, to: str = "") -> None:
        """Bring the tables to a revision, without one to the newest; raise StoreError.

        Several processes may do so at once: one migrates while the others wait for it.
        """
        to = to or self.head
        if url.drivername == SQLITE:
            await _prepare_file(url.database or "")
        engine = make_engine(url, replace(limits, connections=1, statement=0), self.name)

        async def attempt() -> None:
            async with engine.connect() as connection:
                await connection.run_sync(refuse_unnamed, url)
                revision = await connection.run_sync(current, self.revisions)
                newer = await connection.run_sync(is_newer, self.revisions)
            if newer and to != self.head:
                raise StoreError(
                    f"the database is newer than this version of the service, which cannot migrate"
                    f" it to {to}; migrate with the version that made it"
                )
            if newer:
                logger.warning("the database is newer than this version, and compatible with it")
            if revision != to:
                logger.info("migrating the database from %s to %s", revision, to)
                await self._migrate(engine, to)

        try:
            await wait_for_database(attempt, url, limits.start)
        finally:
            await engine.dispose()

    async def _migrate(self, engine: AsyncEngine, to: str) -> None:
        # alembic takes memory and time, which a database that is ready does not cost.
        from grpc_service_kit.sql.migrate import migrate  # noqa: PLC0415

        async with engine.begin() as connection:
            await connection.run_sync(
                migrate, self.location, self.revisions, to, self._oldest_for(to)
            )

    def _oldest_for(self, revision: str) -> str:
        """Return the oldest revision whose code works with the tables of this one."""
        known = self.revisions[: self.revisions.index(revision) + 1]
        while len(known) > 1 and known[-1] in self.compatible:
            known = known[:-1]
        return known[-1]


async def _prepare_file(path: str) -> None:
    try:
        await asyncio.to_thread(prepare_sqlite, path)
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"DATABASE_PATH: {path} cannot be used: {error}; set it to a SQLite file in a"
            " directory that this process may write, or set DATABASE_URL"
        ) from error
