"""Database: transactions that happen whole or not at all, and errors a caller can act on.

It knows nothing of what is stored: a store hands it the work of one transaction.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import URL, Executable, Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from grpc_service_kit.errors import DomainError
from grpc_service_kit.sql.attempts import Attempts
from grpc_service_kit.sql.connector import Validity
from grpc_service_kit.sql.engine import make_engine, reading
from grpc_service_kit.sql.errors import DatabaseOverloaded, DatabaseUnavailable
from grpc_service_kit.sql.faults import Fault, described, fault_of
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.probe import Probe
from grpc_service_kit.sql.waiting import wait_for_database

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

logger = logging.getLogger(__name__)


class Database:
    """One database. Every method raises DatabaseUnavailable or DatabaseOverloaded."""

    def __init__(self, url: URL, limits: Limits, name: str) -> None:
        """Connect at the first use, under a name that PostgreSQL's administrators see."""
        self._url = url
        self._limits = limits
        validity = Validity()
        self._engine = make_engine(url, limits, name, validity)
        self._reader = reading(self._engine, url)
        # Health has a connection of its own: a service with much to do is not a broken one.
        probe = make_engine(url, replace(limits, connections=1), name, validity)
        self._probe = Probe(reading(probe, url), validity)
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Work[T]) -> T:
        """Do the work in one transaction and commit; do it again when it clashes with another one,
        or loses its connection before the commit: nothing has been written then.

        A caller that gives up gets no answer, but a transaction that has begun goes on to its end:
        one that is cut off in the middle would cost its connection.
        """
        return await self._do(self._engine, work)

    async def read(self, query: Executable) -> Sequence[Row[Any]]:
        """Return all rows of one query, which may be made again when a connection is lost."""

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(query)).all()

        return await self._do(self._reader, work)

    async def read_at_start(self, query: Executable) -> Sequence[Row[Any]]:
        """Return all rows of a query that a service cannot begin without; raise StoreError.

        Waits for a database that goes away just then, as `Schema.open` does.
        """
        return await wait_for_database(lambda: self.read(query), self._url, self._limits.start)

    async def check(self) -> None:
        """Return when the database answers and takes writes; raise DatabaseUnavailable."""
        await self._probe.check()

    async def close(self) -> None:
        """Wait for what is running, then close every connection."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()
        await self._probe.close()

    async def _do(self, engine: AsyncEngine, work: Work[T]) -> T:
        with self._translated():
            connection = await self._connection(engine)
            return await self._to_the_end(self._attempts(connection, work))

    async def _connection(self, engine: AsyncEngine) -> AsyncConnection:
        """Return a connection, which is opened to the end although the caller is cancelled.

        Interrupted, SQLAlchemy closes it in a task that nobody waits for, and that of SQLite may
        never end: then neither does the event loop.
        """
        task = self._start(self._opened(engine))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._give_back)
            raise

    def _give_back(self, opened: asyncio.Task[AsyncConnection]) -> None:
        if not opened.cancelled() and opened.exception() is None:
            self._start(opened.result().close())

    async def _opened(self, engine: AsyncEngine) -> AsyncConnection:
        """Open a connection; try again while servers refuse one at once."""
        attempts = Attempts()
        while True:
            try:
                return await engine.connect()
            except (SQLAlchemyError, OSError) as error:
                await attempts.pause_after(error)

    async def _attempts(self, connection: AsyncConnection, work: Work[T]) -> T:
        attempts = Attempts()

        async def to_the_commit(connection: AsyncConnection) -> T:
            result = await work(connection)
            attempts.committing = True
            return result

        async with aclosing(connection):
            while True:
                attempts.committing = False
                try:
                    async with connection.begin(), _not_stuck(connection):
                        return await to_the_commit(connection)
                except (SQLAlchemyError, OSError) as error:
                    await attempts.pause_after(error)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work, which goes on when the caller is cancelled."""
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(_retrieve_error)
        return task

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what a caller can do something about into a domain error."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            problem = self._domain_error(error)
            if problem is None:
                raise
            logger.warning("database: %s", described(error))
            raise problem from error

    def _domain_error(self, error: Exception) -> DomainError | None:
        fault = fault_of(error)
        if fault is Fault.EXHAUSTED:
            return DatabaseOverloaded(
                f"all connections to the database were in use for {self._limits.wait:g}s; send the"
                " request again later"
            )
        if fault is Fault.CLASH:
            return DatabaseUnavailable(
                "too many others change the same data; send the request again"
            )
        if fault in {Fault.LOST, Fault.MOVED}:
            return DatabaseUnavailable(
                "the database cannot be reached now; send the request again later"
            )
        return None


@asynccontextmanager
async def _not_stuck(connection: AsyncConnection) -> AsyncIterator[None]:
    """Give up a connection that no longer answers, instead of asking it for a rollback."""
    try:
        yield
    except TimeoutError:
        await connection.invalidate()
        raise


def _retrieve_error(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from logging the error of a call whose caller has given up."""
    if not task.cancelled():
        task.exception()
