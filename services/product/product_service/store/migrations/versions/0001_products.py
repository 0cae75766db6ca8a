"""products: the catalogue, request ids of creates, and the secret of page tokens."""

import secrets

from alembic import op
from sqlalchemy import LargeBinary, column, insert, table

revision = "0001"
down_revision = None

_SQLITE = (
    """
CREATE TABLE products (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    id                TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    currency          TEXT    NOT NULL,
    price_units       INTEGER NOT NULL,
    price_nanos       INTEGER NOT NULL,
    stock_quantity    INTEGER NOT NULL,
    reserved_quantity INTEGER NOT NULL CHECK (reserved_quantity BETWEEN 0 AND stock_quantity),
    stock_revision    INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,  -- microseconds since 1970 in UTC, as is updated_at
    updated_at        INTEGER NOT NULL,
    CONSTRAINT products_id_key UNIQUE (id)
) STRICT
""",
    """
CREATE TABLE create_requests (
    request_id  TEXT    NOT NULL PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    resource_id TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT
""",
    "CREATE TABLE page_token_key (key BLOB NOT NULL) STRICT",
)
_POSTGRESQL = (
    """
CREATE TABLE products (
    seq               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                uuid NOT NULL,
    name              text NOT NULL,
    currency          text NOT NULL,
    price_units       bigint NOT NULL,
    price_nanos       integer NOT NULL,
    stock_quantity    bigint NOT NULL,
    reserved_quantity bigint NOT NULL CHECK (reserved_quantity BETWEEN 0 AND stock_quantity),
    stock_revision    bigint NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT products_id_key UNIQUE (id)
)
""",
    """
CREATE TABLE create_requests (
    request_id  uuid NOT NULL PRIMARY KEY,
    fingerprint text NOT NULL,
    resource_id uuid NOT NULL,
    created_at  timestamptz NOT NULL
)
""",
    "CREATE TABLE page_token_key (key bytea NOT NULL)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
    op.execute("CREATE INDEX create_requests_created_at_idx ON create_requests (created_at)")
    keys = table("page_token_key", column("key", LargeBinary))
    op.get_bind().execute(insert(keys).values(key=secrets.token_bytes(32)))


def downgrade() -> None:
    """Drop the tables and all products."""
    for name in ("page_token_key", "create_requests", "products"):
        op.execute(f"DROP TABLE {name}")
