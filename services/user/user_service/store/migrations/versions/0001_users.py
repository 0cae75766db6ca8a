"""users."""

from alembic import op

revision = "0001"
down_revision = None

# The table of the releases before there were migrations: their files are taken over.
_SQLITE = """
CREATE TABLE IF NOT EXISTS users (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    email      TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,  -- microseconds since 1970 in UTC, as is updated_at
    updated_at INTEGER NOT NULL
) STRICT
"""
_POSTGRESQL = """
CREATE TABLE users (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid NOT NULL CONSTRAINT users_id_key UNIQUE,
    email      text COLLATE "C" NOT NULL,  -- lower() of this collation knows ASCII only
    name       text NOT NULL,
    role       text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Create the table, with an index for addresses without regard to ASCII case."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_SQLITE)
    else:
        op.execute(_POSTGRESQL)
        op.execute("CREATE UNIQUE INDEX users_email_key ON users (lower(email))")


def downgrade() -> None:
    """Drop the table and all users."""
    op.execute("DROP TABLE users")
