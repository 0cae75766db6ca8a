"""What a service with a database needs: SQLite or PostgreSQL, through SQLAlchemy and alembic.

    SCHEMA = Schema(name="user-service", location="user_service.store:migrations",
                    versions=("0001", "0002"))

    async with SCHEMA.open(config.url, config.limits) as database:  # migrates
        rows = await database.read(select(users))
        await database.run(work)  # async def work(connection): one transaction

Needs the extra `sql`. `database.py` says what a transaction is, `faults.py` what a failure means,
`schema.py` when a database is ready.
"""

from grpc_service_kit.sql.arguments import migration_asked_for
from grpc_service_kit.sql.config import DatabaseConfig
from grpc_service_kit.sql.database import Database
from grpc_service_kit.sql.dialects import SEQUENCE, UUID, Time, insert_into, is_sqlite
from grpc_service_kit.sql.errors import DatabaseOverloaded, DatabaseUnavailable, StoreError
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.requests import (
    Request,
    RequestIds,
    fingerprint,
    request_ids_table,
    sweep,
)
from grpc_service_kit.sql.revisions import BASE
from grpc_service_kit.sql.schema import Schema
from grpc_service_kit.sql.tokens import PageTokens

__all__ = [
    "BASE",
    "SEQUENCE",
    "UUID",
    "Database",
    "DatabaseConfig",
    "DatabaseOverloaded",
    "DatabaseUnavailable",
    "Limits",
    "PageTokens",
    "Request",
    "RequestIds",
    "Schema",
    "StoreError",
    "Time",
    "fingerprint",
    "insert_into",
    "is_sqlite",
    "migration_asked_for",
    "request_ids_table",
    "sweep",
]
