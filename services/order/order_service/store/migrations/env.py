"""alembic runs this for each migration run; the kit's `sql/migrate.py` gives it the connection."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
