"""Config: the settings of the process, read from environment variables once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from grpc_service_kit import Environment, ServerConfig
from grpc_service_kit.client import ClientTls, Target
from grpc_service_kit.sql import DatabaseConfig

PORT = 50052


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the kit reads, and what is this service's own."""

    server: ServerConfig
    """PORT and everything else that servers of the kit have."""
    database: DatabaseConfig
    """DATABASE_URL, DATABASE_PATH, DATABASE_CONNECTIONS."""
    users: Target
    """USERS_GRPC_TARGET, USERS_GRPC_SERVICE_CONFIG: where user.v1.UserService is and how it wants
    to be called; the ConfigMap NAME-grpc-client of its GrpcService has both."""
    products: Target
    """PRODUCTS_GRPC_TARGET, PRODUCTS_GRPC_SERVICE_CONFIG: product.v1.ProductService."""
    users_tls: ClientTls | None = None
    """USERS_GRPC_TLS, USERS_GRPC_TLS_CA_FILE and so on: plaintext without them."""
    products_tls: ClientTls | None = None
    """PRODUCTS_GRPC_TLS and so on."""
    token_file: str = ""
    """TOKEN_FILE: a file with the bearer token that both services want; it is read for each call,
    so it may change."""
    recovery_seconds: float = 2.0
    """RECOVERY_SECONDS: time between two polls for orders that somebody has left unfinished."""
    watch_seconds: float = 0.25
    """WATCH_SECONDS: time between two polls for new events; watchers get them that late at most."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; raise ConfigError that names every wrong variable."""
        environment = Environment(environ)
        config = cls(
            server=ServerConfig.read(environment, PORT),
            database=DatabaseConfig.read(environment, "orders.db"),
            users=Target.read(environment, "USERS_", "localhost:50051"),
            products=Target.read(environment, "PRODUCTS_", "localhost:50053"),
            users_tls=ClientTls.read(environment, "USERS_"),
            products_tls=ClientTls.read(environment, "PRODUCTS_"),
            token_file=environment.file("TOKEN_FILE"),
            recovery_seconds=environment.seconds(
                "RECOVERY_SECONDS", cls.recovery_seconds, least=0.1
            ),
            watch_seconds=environment.seconds("WATCH_SECONDS", cls.watch_seconds, least=0.01),
        )
        environment.check()
        return config
