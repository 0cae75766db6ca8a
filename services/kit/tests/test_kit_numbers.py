"""Every setting that is a number: which values are refused, and what 0 and `off` mean."""

import pytest

from grpc_service_kit import ConfigError, Environment, ServerConfig
from grpc_service_kit.sql import DatabaseConfig

LEAST = {
    "PORT": 0,  # Any free port.
    "METRICS_PORT": 0,
    "GRPC_DRAIN_SECONDS": 0,  # Calls end at once.
    "LAME_DUCK_SECONDS": 0,  # Left out.
    "MAX_CONNECTION_AGE_SECONDS": 1,
    "MAX_CONNECTION_AGE_GRACE_SECONDS": 0.1,
    "MAX_MESSAGE_BYTES": 1024,
    "MAX_METADATA_BYTES": 1024,
    "MAX_CONCURRENT_CALLS": 1,
    "MAX_STREAMS_PER_CONNECTION": 1,
    "DEFAULT_DEADLINE_SECONDS": 0.001,
    "HEALTH_CHECK_SECONDS": 0.1,
    "DATABASE_CONNECTIONS": 1,
}
"""The least value of each."""
OFF = {
    "METRICS_PORT",
    "MAX_CONNECTION_AGE_SECONDS",
    "MAX_CONNECTION_AGE_GRACE_SECONDS",
    "DEFAULT_DEADLINE_SECONDS",
}
NO_NUMBERS = (
    "-1",
    "-0",
    "+5",
    "nan",
    "inf",
    "Infinity",
    "1e3",
    "1_0",
    "0x10",
    " 5",
    "5s",
    "٣",
    ".",
)
HUGE = ("1e9", "99999999999999", "9" * 400, "9" * 5000)


class Reading(Environment):
    """Notes which variables are read as numbers."""

    def __init__(self, environ: dict[str, str]) -> None:
        super().__init__(environ)
        self.numbers: set[str] = set()

    def integer(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        self.numbers.add(name)
        return super().integer(name, default, least=least, most=most)

    def seconds(
        self, name: str, default: float, *, least: float = 0.001, most: float = 3600.0
    ) -> float:
        self.numbers.add(name)
        return super().seconds(name, default, least=least, most=most)


def read(**variables: str) -> tuple[ServerConfig, DatabaseConfig]:
    """Read all settings of a service with a database; raise ConfigError."""
    environment = Reading(variables)
    configs = ServerConfig.read(environment), DatabaseConfig.read(environment, "test.db")
    assert environment.numbers | OFF == LEAST.keys()
    environment.check()
    return configs


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_a_number_that_makes_no_sense_is_refused_with_what_is_allowed(
    name: str, least: float
) -> None:
    too_small = ("0", "0.0") if least > 0 else ()
    for value in (*NO_NUMBERS, *HUGE, *too_small, *(() if name in OFF else ("off",))):
        with pytest.raises(ConfigError) as caught:
            read(**{name: value})

        begin = f"{name}: {value!r} is not allowed; set it to "
        assert str(caught.value).startswith(begin)
        assert f"from {least:g} to " in str(caught.value)
        assert (", or to off" in str(caught.value)) == (name in OFF)


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_the_least_value_is_taken_and_an_empty_one_is_the_default(name: str, least: float) -> None:
    assert read(**{name: ""}) == read()
    assert read(**{name: f"{least:g}"}) != read()


@pytest.mark.parametrize("name", sorted(OFF))
def test_what_can_be_off_is_none(name: str) -> None:
    (config, _) = read(**{name: "off"})

    assert getattr(config, name.lower()) is None


def test_a_drain_may_take_as_long_as_a_grpc_service_allows() -> None:
    assert read(GRPC_DRAIN_SECONDS="86400")[0].drain_seconds == 86400
