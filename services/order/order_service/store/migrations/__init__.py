"""The steps of the schema, oldest first. `alembic revision` writes a new one; name it here too."""

from grpc_service_kit.sql import Schema

SCHEMA = Schema(name="order-service", location="order_service.store:migrations", versions=("0001",))
