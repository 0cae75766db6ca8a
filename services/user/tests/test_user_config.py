"""Environment variables: defaults, good values, and one line for each bad one."""

import pytest

from user_service.config import Config, ConfigError


def test_an_empty_environment_gives_the_defaults() -> None:
    config = Config.from_env({"HOSTNAME": "localhost"})

    assert config == Config()


def test_an_empty_variable_counts_as_unset() -> None:
    assert Config.from_env({"PORT": "", "REFLECTION": ""}).port == 50051


def test_every_variable_is_read() -> None:
    variables = {
        "PORT": "8080",
        "DATABASE_PATH": "/data/users.db",
        "GRPC_DRAIN_SECONDS": "0.5",
        "LAME_DUCK_SECONDS": "7",
        "REFLECTION": "off",
        "INSTANCE_METADATA": "on",
        "HOSTNAME": "users-1",
        "LOG_LEVEL": "debug",
    }

    assert Config.from_env(variables) == Config(
        port=8080,
        database_path="/data/users.db",
        drain_seconds=0.5,
        lame_duck_seconds=7.0,
        reflection=False,
        instance_metadata=True,
        instance="users-1",
        log_level="DEBUG",
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "http", "a port number from 0 to 65535"),
        ("PORT", "65536", "a port number from 0 to 65535"),
        ("PORT", "-1", "a port number from 0 to 65535"),
        ("DATABASE_PATH", ":memory:", "the path of a file, such as /data/users.db"),
        ("DATABASE_PATH", "/data/", "the path of a file, such as /data/users.db"),
        ("GRPC_DRAIN_SECONDS", "soon", "seconds from 0 to 3600, such as 5 or 0.5"),
        ("GRPC_DRAIN_SECONDS", "nan", "seconds from 0 to 3600, such as 5 or 0.5"),
        ("LAME_DUCK_SECONDS", "-1", "seconds from 0 to 3600, such as 5 or 0.5"),
        ("REFLECTION", "true", "on or off"),
        ("INSTANCE_METADATA", "1", "on or off"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({name: value})

    assert str(caught.value) == f"{name}: {value!r} is not allowed; set it to {allowed}"


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"PORT": "x", "REFLECTION": "x", "LOG_LEVEL": "x"})

    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["PORT", "REFLECTION", "LOG_LEVEL"]
