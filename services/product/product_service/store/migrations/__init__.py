"""The steps of the schema. `alembic revision` writes a new one; name it here too."""

from grpc_service_kit.sql import Schema

SCHEMA = Schema(
    name="product-service",
    location="product_service.store:migrations",
    versions=("0001", "0002"),
)
