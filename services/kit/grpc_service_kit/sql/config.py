"""DatabaseConfig: which database a service uses, read from environment variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import URL

from grpc_service_kit.environment import Environment
from grpc_service_kit.sql.limits import Limits
from grpc_service_kit.sql.url import parse_url, sqlite_file

_MAX_CONNECTIONS = 1000


@dataclass(frozen=True, kw_only=True)
class DatabaseConfig:
    """One database."""

    url: URL
    """DATABASE_URL: a PostgreSQL database or a SQLite file. Without it DATABASE_PATH is the path of
    the SQLite file, created when missing; its directory must be writable."""
    limits: Limits = field(default_factory=Limits)
    """DATABASE_CONNECTIONS: most connections to PostgreSQL that this process opens for calls."""

    @classmethod
    def read(cls, environment: Environment, default_path: str) -> Self:
        """Read the variables; `environment.check()` reports the problems."""
        connections = environment.integer(
            "DATABASE_CONNECTIONS", Limits.connections, least=1, most=_MAX_CONNECTIONS
        )
        return cls(url=_url(environment, default_path), limits=Limits(connections=connections))


def _url(environment: Environment, default_path: str) -> URL:
    url = environment.text("DATABASE_URL")
    if url:
        try:
            return parse_url(url)
        except ValueError as error:  # Its text does not quote the URL, which has a password.
            environment.fail("DATABASE_URL", str(error))
    path = environment.text("DATABASE_PATH", default_path)
    if path.startswith(":") or path.endswith("/"):
        environment.fail(
            "DATABASE_PATH",
            f"{path!r} is not allowed; set it to the path of a file, such as /data/{default_path}",
        )
    return sqlite_file(path)
