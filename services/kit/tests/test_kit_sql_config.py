"""DATABASE_URL, DATABASE_PATH and DATABASE_CONNECTIONS, and the command line."""

import sys

import pytest

from grpc_service_kit import ConfigError, Environment
from grpc_service_kit.sql import DatabaseConfig, Limits
from grpc_service_kit.sql.arguments import migration_asked_for
from grpc_service_kit.sql.url import parse_url, sqlite_file
from kit_sql_counters import SCHEMA


def read(**variables: str) -> DatabaseConfig:
    """Read the variables, or raise ConfigError."""
    environment = Environment(variables)
    config = DatabaseConfig.read(environment, "counters.db")
    environment.check()
    return config


def test_an_empty_environment_gives_a_file_in_the_working_directory() -> None:
    assert read() == DatabaseConfig(url=sqlite_file("counters.db"), limits=Limits())


def test_a_url_goes_before_a_path() -> None:
    config = read(DATABASE_URL="postgres://ada:pw@db/x", DATABASE_PATH="/data/x.db")

    assert config.url == parse_url("postgresql+asyncpg://ada:pw@db/x")
    assert "pw" not in repr(config)
    assert read(DATABASE_PATH="/data/x.db").url == sqlite_file("/data/x.db")


def test_connections_are_limited() -> None:
    assert read(DATABASE_CONNECTIONS="3").limits == Limits(connections=3)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_PATH", ":memory:", "':memory:' is not allowed; set it to the path of a file"),
        ("DATABASE_PATH", "/data/", "'/data/' is not allowed; set it to the path of a file"),
        ("DATABASE_CONNECTIONS", "0", "'0' is not allowed; set it to a whole number from 1 to"),
        ("DATABASE_URL", "mysql://ada:s3cret@db/x", "mysql:// is not a database this service"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**{name: value})

    assert str(caught.value).startswith(f"{name}: {problem}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "to"),
    [([], None), (["migrate"], "0002"), (["migrate", "--to", "base"], "base")],
)
def test_the_arguments_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], to: str | None
) -> None:
    monkeypatch.setattr(sys, "argv", ["counters", *arguments])

    assert migration_asked_for(SCHEMA, "counters") == to


@pytest.mark.parametrize("arguments", [["serve"], ["migrate", "--to", "7"]])
def test_wrong_arguments_end_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["counters", *arguments])
    with pytest.raises(SystemExit) as caught:
        migration_asked_for(SCHEMA, "counters")

    assert caught.value.code == 2
    assert f"invalid choice: '{arguments[-1]}'" in capsys.readouterr().err
