"""The tables as queries see them. `migrations/` makes them; a test compares the two."""

from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint, func

from grpc_service_kit.sql import SEQUENCE, UUID, Time, request_ids_table

_EMAIL = Text(collation="NOCASE").with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

users = Table(
    "users",
    metadata,
    # It gives the order of pages. No value is used twice, so that a page token stays right when
    # users are deleted.
    Column("seq", SEQUENCE, primary_key=True),
    Column("id", UUID, nullable=False),
    # Unique without regard to ASCII case, as RFC 4343 has it for the domain: NOCASE in SQLite; in
    # PostgreSQL an index over lower(), which under the collation C knows ASCII only.
    Column("email", _EMAIL, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    UniqueConstraint("id"),
    sqlite_strict=True,
)
Index("users_email_key", func.lower(users.c.email), unique=True).ddl_if(dialect="postgresql")

create_requests = request_ids_table("create_requests", metadata)

page_token_key = Table(
    "page_token_key",
    metadata,
    Column("key", LargeBinary, nullable=False),
    sqlite_strict=True,
)
