"""RequestIds: a create that is sent again gets its first answer (https://google.aip.dev/155).

A row has no personal data: what a request asked for is kept as a hash, and the first answer
follows from the same content with the id and the time of the first try.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData, Row, Table, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql.dialects import UUID, Time, insert_into

_SWEEP_AFTER = 64
"""Expired rows are removed after this many new ones, twice as many as were added."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A create that came with a request id."""

    request_id: str
    fingerprint: str
    """What it asks for; see `fingerprint`."""
    resource_id: str
    """The id of what it creates."""
    created_at: datetime


class RequestIds:
    """The creates of the last hours that came with a request id.

    The table is bounded: there is a row for each resource created in that time, and while rows are
    added, expired ones go at twice the pace.
    """

    def __init__(self, table: Table, lifetime: timedelta) -> None:
        """Keep requests for `lifetime` in a table that `request_ids_table` has described."""
        self._table = table
        self._lifetime = lifetime
        self._added = 0

    async def claim(
        self, connection: AsyncConnection, requests: Sequence[Request]
    ) -> Mapping[str, Request]:
        """Take note of the new ones; return the first try of those that are known, by request id.

        Compare the fingerprints: a known request may have asked for something else. No id may be
        there twice. While another transaction holds one of the ids, this waits for its end.
        """
        if not requests:
            return {}
        now = max(request.created_at for request in requests)
        new = await self._insert(connection, requests, now)
        known = await self._known(connection, {r.request_id for r in requests} - new)
        await self._sweep(connection, len(new), now)
        return {row.request_id: _request(row) for row in known}

    async def _insert(
        self, connection: AsyncConnection, requests: Sequence[Request], now: datetime
    ) -> set[str]:
        """Insert what is unknown or expired; return the ids of these."""
        insert = insert_into(connection, self._table)
        insert = insert.on_conflict_do_update(
            index_elements=["request_id"],
            set_={name: insert.excluded[name] for name in _CONTENT},
            where=self._table.c.created_at < now - self._lifetime,
        )
        # In one order, so that two batches with the same ids do not wait for each other.
        rows = [vars(r) for r in sorted(requests, key=lambda request: request.request_id)]
        return set(await connection.scalars(insert.returning(self._table.c.request_id), rows))

    async def _known(self, connection: AsyncConnection, ids: Collection[str]) -> Sequence[Row[Any]]:
        if not ids:
            return ()
        query = select(self._table).where(self._table.c.request_id.in_(ids))
        return (await connection.execute(query)).all()

    async def _sweep(self, connection: AsyncConnection, added: int, now: datetime) -> None:
        self._added += added
        if self._added < _SWEEP_AFTER:
            return
        limit = 2 * self._added
        self._added = 0
        expired = self._table.c.created_at < now - self._lifetime
        await sweep(connection, self._table.c.request_id, expired, limit)


_CONTENT = ("fingerprint", "resource_id", "created_at")


def request_ids_table(name: str, metadata: MetaData) -> Table:
    """Describe a table of requests to the queries; the service's migrations make it."""
    return Table(
        name,
        metadata,
        Column("request_id", UUID, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("resource_id", UUID, nullable=False),
        Column("created_at", Time, nullable=False),
        Index(f"{name}_created_at_idx", "created_at"),
        sqlite_strict=True,
    )


async def sweep(
    connection: AsyncConnection, key: Column[Any], expired: ColumnElement[bool], limit: int
) -> None:
    """Remove up to `limit` of the expired rows of the table with this key."""
    rows = select(key).where(expired).limit(limit)
    # Two sweepers do not wait for each other.
    rows = rows.with_for_update(skip_locked=True)
    await connection.execute(delete(key.table).where(key.in_(rows)))


def _request(row: Row[Any]) -> Request:
    return Request(
        request_id=row.request_id,
        fingerprint=row.fingerprint,
        resource_id=row.resource_id,
        created_at=row.created_at,
    )


def fingerprint(*content: object) -> str:
    """Return a hash of what a request asks for; the content must be of JSON's types."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
