"""Servers in Go and Node.js behind the gateway: a malformed call fails alone there, too.

What a server shares between the calls of a connection depends on its language; Python is tested in
``tests/envoy/protocols/test_malformed.py``.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clients import toolchain
from tests.envoy.protocols import malformed
from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.conftest import USERS
from tests.envoy.protocols.gateway import Exposed, running_gateway

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

_SERVERS = "tests/clients/servers"


@pytest.fixture(scope="module")
def commands(
    generated: None, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What starts the server of each language; those of Go are built first."""
    program = tmp_path_factory.mktemp("servers") / "echo"
    source = toolchain.ROOT / _SERVERS / "echo.go"
    toolchain.run([f"go -C examples/clients/go build -o {program} {source}"], variables)
    modules = toolchain.ROOT / "examples/clients/typescript/node_modules"
    return {"go": str(program), "node": f"NODE_PATH={modules} node {_SERVERS}/echo.cjs"}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["go", "node"])
async def gateway(
    request: pytest.FixtureRequest, commands: dict[str, str], variables: dict[str, str]
) -> AsyncIterator[int]:
    """A gateway in front of the server of each language; yields its port."""
    process = await toolchain.start(commands[request.param], variables)
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        async with running_gateway(headers=malformed.HEADERS) as made:
            service = Exposed("users", user_descriptor(), (port,), {"hostnames": [USERS]})
            await made.serve(service)
            yield made.port
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("protocol", malformed.PROTOCOLS)
async def test_only_the_malformed_call_fails(gateway: int, protocol: str) -> None:
    await malformed.assert_alone(gateway, protocol)
