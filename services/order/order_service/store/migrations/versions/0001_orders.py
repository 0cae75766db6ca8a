"""orders, their events, the number of the last event, and the secret of page tokens."""

import secrets

from alembic import op
from sqlalchemy import LargeBinary, column, insert, table

revision = "0001"
down_revision = None

_SQLITE = (
    """
    CREATE TABLE orders (
        seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        id          TEXT    NOT NULL UNIQUE,
        user_id     TEXT    NOT NULL,
        lines       TEXT    NOT NULL,  -- JSON: [[product id, quantity], ...]
        status      TEXT    NOT NULL,
        reason      TEXT,
        reason_text TEXT,
        request_id  TEXT    UNIQUE,
        created_at  INTEGER NOT NULL,  -- microseconds since 1970 in UTC, as are the other times
        updated_at  INTEGER NOT NULL,
        claim       INTEGER NOT NULL,
        due_at      INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE order_events (
        sequence    INTEGER NOT NULL PRIMARY KEY,
        order_id    TEXT    NOT NULL REFERENCES orders (id),
        user_id     TEXT    NOT NULL,
        status      TEXT    NOT NULL,
        reason      TEXT,
        reason_text TEXT,
        occurred_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE TABLE event_sequence (last INTEGER NOT NULL) STRICT",
    "CREATE TABLE page_token_key (key BLOB NOT NULL) STRICT",
)
_POSTGRESQL = (
    """
    CREATE TABLE orders (
        seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id          uuid NOT NULL UNIQUE,
        user_id     uuid NOT NULL,
        lines       jsonb NOT NULL,  -- [[product id, quantity], ...]
        status      text NOT NULL,
        reason      text,
        reason_text text,
        request_id  uuid UNIQUE,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        claim       integer NOT NULL,
        due_at      timestamptz
    )
    """,
    """
    CREATE TABLE order_events (
        sequence    bigint NOT NULL PRIMARY KEY,
        order_id    uuid NOT NULL REFERENCES orders (id),
        user_id     uuid NOT NULL,
        status      text NOT NULL,
        reason      text,
        reason_text text,
        occurred_at timestamptz NOT NULL
    )
    """,
    # Each change of an order updates its one row: leave room for that within its page.
    "CREATE TABLE event_sequence (last bigint NOT NULL) WITH (fillfactor = 10)",
    "CREATE TABLE page_token_key (key bytea NOT NULL)",
)
_INDEXES = (
    "CREATE INDEX orders_user_id_idx ON orders (user_id, seq)",
    "CREATE INDEX orders_due_at_idx ON orders (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX order_events_user_id_idx ON order_events (user_id, sequence)",
)


def upgrade() -> None:
    """Create the tables, with the one row of those that have one."""
    tables = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL
    for statement in (*tables, *_INDEXES, "INSERT INTO event_sequence (last) VALUES (0)"):
        op.execute(statement)
    keys = table("page_token_key", column("key", LargeBinary))
    op.get_bind().execute(insert(keys).values(key=secrets.token_bytes(32)))


def downgrade() -> None:
    """Drop the tables and all orders; stock that they hold stays reserved."""
    for name in ("page_token_key", "event_sequence", "order_events", "orders"):
        op.execute(f"DROP TABLE {name}")
