"""reservations: stock that is promised, and for a while the ids of those that have ended."""

from alembic import op

revision = "0002"
down_revision = "0001"

_SQLITE = (
    """
CREATE TABLE reservations (
    id          TEXT    NOT NULL PRIMARY KEY,
    created_at  INTEGER NOT NULL,  -- microseconds since 1970 in UTC, as is released_at
    released_at INTEGER
) STRICT
""",
    """
CREATE TABLE reservation_items (
    reservation_id TEXT    NOT NULL,
    product_id     TEXT    NOT NULL,
    quantity       INTEGER NOT NULL,
    PRIMARY KEY (reservation_id, product_id)
) STRICT
""",
)
_POSTGRESQL = (
    """
CREATE TABLE reservations (
    id          uuid NOT NULL PRIMARY KEY,
    created_at  timestamptz NOT NULL,
    released_at timestamptz
)
""",
    """
CREATE TABLE reservation_items (
    reservation_id uuid NOT NULL,
    product_id     uuid NOT NULL,
    quantity       bigint NOT NULL,
    PRIMARY KEY (reservation_id, product_id)
)
""",
)


def upgrade() -> None:
    """Create the tables, with an index to find the reservations that ended long ago."""
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
    op.execute("CREATE INDEX reservations_released_at_idx ON reservations (released_at)")


def downgrade() -> None:
    """Drop the tables: what was promised is forgotten, and all stock is available again."""
    op.execute("DROP TABLE reservation_items")
    op.execute("DROP TABLE reservations")
    op.execute(
        "UPDATE products SET reserved_quantity = 0, stock_revision = stock_revision + 1"
        " WHERE reserved_quantity <> 0"
    )
