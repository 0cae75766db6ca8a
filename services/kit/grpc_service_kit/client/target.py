"""Target: where a service is and how it wants to be called.

In a cluster both come from the ConfigMap `NAME-grpc-client` that the operator keeps for every
GrpcService. Its keys GRPC_TARGET and GRPC_SERVICE_CONFIG are environment variables with `envFrom`
(with a `prefix` for each service that is called) and files when it is mounted as a volume.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from grpc_service_kit.client import address, service_config
from grpc_service_kit.client.errors import ClientConfigError
from grpc_service_kit.environment import Environment

_TARGET = "GRPC_TARGET"
_SERVICE_CONFIG = "GRPC_SERVICE_CONFIG"


@dataclass(frozen=True)
class Target:
    """A checked address and a checked gRPC service config; make it with one of the class methods.

    All but `read` raise ClientConfigError that names every wrong string, variable or file.
    """

    address: str
    """In gRPC's name syntax, such as `dns:///users-headless.default.svc.cluster.local:50051`."""
    service_config: Mapping[str, Any] = field(default_factory=lambda: dict(service_config.DEFAULT))
    """The gRPC service config (grpc/doc/service_config.md)."""

    @classmethod
    def parse(cls, text: str, config: str = "") -> Self:
        """Return the target of `host:port` or of an address with a scheme.

        Without `config`, a JSON text, calls go round robin over the instances that are SERVING.
        """
        return cls._checked(("target", text), ("service config", config))

    @classmethod
    def from_env(cls, environ: Mapping[str, str], prefix: str = "") -> Self:
        """Return the target of PREFIX + GRPC_TARGET and, if it is set, GRPC_SERVICE_CONFIG."""
        name, config = f"{prefix}{_TARGET}", f"{prefix}{_SERVICE_CONFIG}"
        if not environ.get(name):
            raise ClientConfigError(
                f"{name}: not set; set it to host:port, or take it from the ConfigMap "
                f"NAME-grpc-client with envFrom" + (f" and prefix {prefix}" if prefix else "")
            )
        return cls._checked((name, environ[name]), (config, environ.get(config, "")))

    @classmethod
    def read(cls, environment: Environment, prefix: str, default: str) -> Self:
        """Return the same; `environment.check()` reports the problems. Unset, it is `default`."""
        name = f"{prefix}{_TARGET}"
        found = {key: environment.text(key) for key in (name, f"{prefix}{_SERVICE_CONFIG}")}
        found[name] = found[name] or default
        try:
            return cls.from_env(found, prefix)
        except ClientConfigError as error:
            for line in str(error).splitlines():
                variable, _, problem = line.partition(": ")
                environment.fail(variable, problem)
            return cls.parse(default)

    @classmethod
    def from_directory(cls, directory: str | Path) -> Self:
        """Return the target of a directory where the ConfigMap is mounted.

        It is read once: a channel keeps the settings that it is made with.
        """
        folder = Path(directory)
        if not folder.is_dir():
            raise ClientConfigError(
                f"{folder}: no such directory; mount the ConfigMap NAME-grpc-client there"
            )
        name, config = folder / _TARGET, folder / _SERVICE_CONFIG
        if not name.exists():
            raise ClientConfigError(
                f"{name}: no such file; the ConfigMap NAME-grpc-client of a GrpcService has it"
            )
        text = _read(config) if config.exists() else ""
        return cls._checked((str(name), _read(name)), (str(config), text))

    @classmethod
    def _checked(cls, target: tuple[str, str], config: tuple[str, str]) -> Self:
        """Take each text with the name of where it stands."""
        problems: list[str] = []
        where, found = "", dict(service_config.DEFAULT)
        try:
            where = address.checked(target[1].strip())
        except ValueError as error:
            problems.append(f"{target[0]}: {error}")
        if config[1].strip():
            try:
                found = service_config.checked(config[1])
            except ValueError as error:
                problems.append(f"{config[0]}: {error}")
        if problems:
            raise ClientConfigError("\n".join(problems))
        return cls(where, found)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ClientConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ClientConfigError(f"{file}: is not UTF-8 text: {error.reason}") from error
