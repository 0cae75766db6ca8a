"""Config: the settings of the process, read from environment variables once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from grpc_service_kit import Environment, ServerConfig
from grpc_service_kit.sql import DatabaseConfig

PORT = 50053


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the kit reads, and what is this service's own."""

    server: ServerConfig
    """PORT and everything else that servers of the kit have."""
    database: DatabaseConfig
    """DATABASE_URL, DATABASE_PATH, DATABASE_CONNECTIONS."""
    watch_seconds: float = 0.25
    """WATCH_SECONDS: time between two polls for new stock; watchers get it that late at most."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; raise ConfigError that names every wrong variable."""
        environment = Environment(environ)
        config = cls(
            server=ServerConfig.read(environment, PORT),
            database=DatabaseConfig.read(environment, "products.db"),
            watch_seconds=environment.seconds("WATCH_SECONDS", cls.watch_seconds, least=0.01),
        )
        environment.check()
        return config
