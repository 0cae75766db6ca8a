"""The example servers in Go and Node.js answer as every user service does."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.example_servers import running
from user_contract.fixtures import *  # noqa: F403
from user_contract.flow import *  # noqa: F403
from user_contract.repeats import *  # noqa: F403
from user_contract.streaming import *  # noqa: F403
from user_contract.unary import *  # noqa: F403

pytestmark = pytest.mark.clients


@pytest.fixture(params=["Go", "Node.js"])
def target(
    request: pytest.FixtureRequest,
    servers: Mapping[str, str],
    variables: dict[str, str],
    tmp_path: Path,
) -> Iterator[str]:
    """A server of each language that has no users yet."""
    with running(servers[request.param], variables, tmp_path / "server.log") as server:
        yield server.target
