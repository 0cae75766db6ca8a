"""Environment variables: defaults, good values, and one line for each bad one."""

import pytest

from grpc_service_kit import ConfigError
from grpc_service_kit.sql.url import parse_url, sqlite_file
from user_service.config import Config


def test_an_empty_environment_gives_the_defaults() -> None:
    config = Config.from_env({"PORT": ""})

    assert config.server.port == 50051
    assert config.database.url == sqlite_file("users.db")


def test_every_variable_is_read() -> None:
    config = Config.from_env(
        {
            "PORT": "8080",
            "DATABASE_URL": "postgres://ada:pw@db/users",
            "DATABASE_CONNECTIONS": "3",
        }
    )

    assert config.server.port == 8080
    assert config.database.url == parse_url("postgresql+asyncpg://ada:pw@db/users")
    assert config.database.limits.connections == 3
    assert "pw" not in repr(config)


def test_all_bad_values_are_named_at_once() -> None:
    names = ("PORT", "REFLECTION", "DATABASE_CONNECTIONS", "DATABASE_URL")
    with pytest.raises(ConfigError) as caught:
        Config.from_env(dict.fromkeys(names, "x"))

    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == list(names)
