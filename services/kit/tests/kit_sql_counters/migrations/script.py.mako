"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Say what changes, so that the version before can still work with it."""
    ${upgrades if upgrades else "op.execute(...)"}


def downgrade() -> None:
    """Undo it."""
    ${downgrades if downgrades else "op.execute(...)"}
