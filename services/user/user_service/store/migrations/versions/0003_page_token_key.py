"""page token key: the secret of page tokens, shared by all replicas."""

import secrets

from alembic import op
from sqlalchemy import LargeBinary, column, insert, table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table with its one row."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(
        "CREATE TABLE page_token_key (key BLOB NOT NULL) STRICT"
        if sqlite
        else "CREATE TABLE page_token_key (key bytea NOT NULL)"
    )
    keys = table("page_token_key", column("key", LargeBinary))
    op.get_bind().execute(insert(keys).values(key=secrets.token_bytes(32)))


def downgrade() -> None:
    """Drop it: page tokens handed out before are refused from then on."""
    op.execute("DROP TABLE page_token_key")
