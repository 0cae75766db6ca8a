"""The toolchain, the services and the built clients."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from images.toolchain import environment
from tests.clients import toolchain
from tests.clients.world import World, running


@pytest.fixture(scope="package")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables for the README's commands."""
    return environment(tmp_path_factory.mktemp("toolchain"))


@pytest.fixture(scope="package")
def generated(variables: dict[str, str]) -> None:
    """The code that the README's commands generate."""
    toolchain.run(toolchain.commands("Generate the code"), variables)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The services that the clients call."""
    async with running(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="package")
def page(generated: None, variables: dict[str, str]) -> Path:
    """The directory with the built page."""
    toolchain.run(toolchain.commands("The page")[:-1], variables)
    return toolchain.ROOT / "examples/clients/web/dist"


@pytest.fixture(scope="package")
def servers(variables: dict[str, str]) -> dict[str, str]:
    """The command line of each example server; everything before it in the README builds it."""
    toolchain.run(toolchain.commands("Generate the code", toolchain.SERVERS), variables)
    lines = {name: toolchain.commands(name, toolchain.SERVERS) for name in ("Go", "Node.js")}
    for before in lines.values():
        toolchain.run(before[:-1], variables)
    return {name: line[-1] for name, line in lines.items()}
