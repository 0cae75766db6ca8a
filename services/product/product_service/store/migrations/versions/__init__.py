"""alembic's scripts, one for each step."""
