"""The steps of the schema. `alembic revision` writes a new one; name it here too."""

from grpc_service_kit.sql import Schema

SCHEMA = Schema(
    name="user-service",
    location="user_service.store:migrations",
    versions=("0001", "0002", "0003"),
    compatible=frozenset({"0002", "0003"}),  # Tables that code before them does not know.
)
