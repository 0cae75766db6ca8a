"""counters."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.execute("CREATE TABLE counters (name VARCHAR(10) PRIMARY KEY, value INTEGER NOT NULL)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE counters")
