"""requests: request ids."""

from alembic import op

revision = "0002"
down_revision = "0001"

_SQLITE = """
CREATE TABLE requests (
    request_id TEXT NOT NULL PRIMARY KEY, fingerprint TEXT NOT NULL,
    resource_id TEXT NOT NULL, created_at INTEGER NOT NULL
)
"""
_POSTGRESQL = """
CREATE TABLE requests (
    request_id uuid NOT NULL PRIMARY KEY, fingerprint text NOT NULL,
    resource_id uuid NOT NULL, created_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE requests")
