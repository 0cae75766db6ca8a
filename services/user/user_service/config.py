"""Config: the settings of one server process, read from environment variables once at start."""

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_MAX_PORT = 65535
_MAX_SECONDS = 3600
_SWITCH = {"on": True, "off": False}
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(Exception):
    """Environment variables with wrong values: one line for each, with what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings with the defaults a copy on a developer's machine can run with."""

    port: int = 50051
    """PORT: TCP port to listen on; 0 takes any free port."""
    database_path: str = "users.db"
    """DATABASE_PATH: SQLite file, created when missing; its directory must be writable."""
    drain_seconds: float = 25.0
    """GRPC_DRAIN_SECONDS: time between SIGTERM and the end of the last call. The operator sets it
    from `spec.drain.timeout`; elsewhere keep it below the pod's terminationGracePeriodSeconds."""
    lame_duck_seconds: float = 5.0
    """LAME_DUCK_SECONDS: the first part of it, in which new calls are still served while clients
    see NOT_SERVING and go elsewhere; at most half of it."""
    reflection: bool = True
    """REFLECTION: on or off; lets tools such as grpcurl list the methods."""
    instance_metadata: bool = False
    """INSTANCE_METADATA: on or off; answer every call with `x-instance`: the instance's name."""
    instance: str = "localhost"
    """HOSTNAME: the name of this instance; container runtimes set it to the pod's name."""
    log_level: str = "INFO"
    """LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; raise ConfigError that names every wrong variable."""
        reader = _Reader(environ)
        config = cls(
            port=reader.integer("PORT", cls.port),
            database_path=reader.file("DATABASE_PATH", cls.database_path),
            drain_seconds=reader.seconds("GRPC_DRAIN_SECONDS", cls.drain_seconds),
            lame_duck_seconds=reader.seconds("LAME_DUCK_SECONDS", cls.lame_duck_seconds),
            reflection=reader.switch("REFLECTION", default=cls.reflection),
            instance_metadata=reader.switch("INSTANCE_METADATA", default=cls.instance_metadata),
            instance=reader.text("HOSTNAME", socket.gethostname()),
            log_level=reader.choice("LOG_LEVEL", _LOG_LEVELS, cls.log_level),
        )
        if reader.problems:
            raise ConfigError("\n".join(reader.problems))
        return config


class _Reader:
    """Reads variables and collects what is wrong with them; an empty one counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "") or default

    def file(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value.startswith(":") or value.endswith("/"):
            self._problem(name, value, "the path of a file, such as /data/users.db")
        return value

    def integer(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) > _MAX_PORT:
            self._problem(name, value, f"a port number from 0 to {_MAX_PORT}")
            return default
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= _MAX_SECONDS:
            self._problem(name, value, f"seconds from 0 to {_MAX_SECONDS}, such as 5 or 0.5")
        return seconds

    def switch(self, name: str, *, default: bool) -> bool:
        value = self.text(name, "on" if default else "off")
        if value not in _SWITCH:
            self._problem(name, value, "on or off")
        return _SWITCH.get(value, default)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default).upper()
        if value not in allowed:
            self._problem(name, value, f"one of {', '.join(allowed)}")
        return value

    def _problem(self, name: str, value: str, allowed: str) -> None:
        self.problems.append(f"{name}: {value!r} is not allowed; set it to {allowed}")


def configure_logging(level: str) -> None:
    """Log to stderr, one line an event, from `level` on."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # Logs every statement and value.
