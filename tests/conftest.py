"""What every test may use: golden files. And what holds for every session and property test."""

from collections.abc import Iterator

import hypothesis
import pytest

from tests.golden import UPDATE_OPTION, Golden
from tests.leftovers import left_over, mark

# How long an example takes says more about what else the machine does than about the code.
hypothesis.settings.register_profile(
    "no-clock", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no-clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that rewrites golden files."""
    parser.addoption(
        UPDATE_OPTION,
        action="store_true",
        help="write what the code makes now into the golden files, and delete orphans",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares outputs with golden files, or rewrites these with --update-golden."""
    return Golden(update=bool(request.config.getoption(UPDATE_OPTION)))


@pytest.fixture(scope="session", autouse=True)
def every_process_ends() -> Iterator[None]:
    """Fails the last test of a session when processes of it remain; it is the last to end."""
    marked = mark()
    yield
    assert left_over(marked) == []
