"""create requests: request ids of creates, to answer a repeated one like the first."""

from alembic import op

revision = "0002"
down_revision = "0001"

_SQLITE = """
CREATE TABLE create_requests (
    request_id  TEXT    NOT NULL PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    resource_id TEXT    NOT NULL,
    created_at  INTEGER NOT NULL  -- microseconds since 1970 in UTC
) STRICT
"""
_POSTGRESQL = """
CREATE TABLE create_requests (
    request_id  uuid NOT NULL PRIMARY KEY,
    fingerprint text NOT NULL,
    resource_id uuid NOT NULL,
    created_at  timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Create the table, with an index to find the expired ones."""
    op.execute(_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL)
    op.execute("CREATE INDEX create_requests_created_at_idx ON create_requests (created_at)")


def downgrade() -> None:
    """Forget the request ids: creates that are repeated after this find their address taken."""
    op.execute("DROP TABLE create_requests")
