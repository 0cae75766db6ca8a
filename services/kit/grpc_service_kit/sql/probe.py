"""Probe: whether a database answers and takes writes, for the health of a service."""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_service_kit.sql.connector import Validity
from grpc_service_kit.sql.errors import DatabaseUnavailable
from grpc_service_kit.sql.faults import described

_SECONDS = 3.0


class Probe:
    """Asks over connections of its own."""

    def __init__(self, engine: AsyncEngine, validity: Validity) -> None:
        """Use an engine; end the validity of all connections when one is to a standby."""
        self._engine = engine
        self._validity = validity

    async def check(self) -> None:
        """Return when the database answers and takes writes; raise DatabaseUnavailable."""
        try:
            async with asyncio.timeout(_SECONDS):
                if await self._takes_writes():
                    return
                # What was the primary may be up as a standby: new connections go elsewhere then.
                self._validity.end()
                if await self._takes_writes():
                    return
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(
                f"the database does not answer: {described(error)}"
            ) from error
        raise DatabaseUnavailable("the database takes no writes: it is not the primary")

    async def _takes_writes(self) -> bool:
        """Ask for a table of the service, too, as each call would."""
        postgresql = self._engine.dialect.name == "postgresql"
        read_only = "current_setting('transaction_read_only')" if postgresql else "'off'"
        query = text(f"SELECT {read_only} FROM alembic_version")  # noqa: S608 one of two constants
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar() != "on"

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()
