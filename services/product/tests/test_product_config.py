"""Environment variables: defaults, good values, and one line for each bad one."""

import pytest

from grpc_service_kit import ConfigError
from grpc_service_kit.sql.url import parse_url, sqlite_file
from product_service.config import Config


def test_an_empty_environment_gives_the_defaults() -> None:
    config = Config.from_env({"PORT": ""})

    assert (config.server.port, config.watch_seconds) == (50053, 0.25)
    assert config.database.url == sqlite_file("products.db")


def test_every_variable_is_read() -> None:
    config = Config.from_env(
        {
            "PORT": "8080",
            "DATABASE_URL": "postgres://ada:pw@db/products",
            "DATABASE_CONNECTIONS": "3",
            "WATCH_SECONDS": "1.5",
        }
    )

    assert (config.server.port, config.watch_seconds) == (8080, 1.5)
    assert config.database.url == parse_url("postgres://ada:pw@db/products")
    assert config.database.limits.connections == 3
    assert "pw" not in repr(config)


def test_all_bad_values_are_named_at_once() -> None:
    names = ("PORT", "DATABASE_CONNECTIONS", "DATABASE_URL", "WATCH_SECONDS")
    with pytest.raises(ConfigError) as caught:
        Config.from_env(dict.fromkeys(names, "x"))

    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == list(names)
