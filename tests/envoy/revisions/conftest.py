"""A gateway in front of two revisions, whose servers are new for each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.envoy.protocols.gateway import Gateway, running_gateway
from tests.envoy.revisions.site import PROTOCOLS, Site, running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def gateway() -> AsyncIterator[Gateway]:
    """One Envoy."""
    async with running_gateway(access_log=True) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="package")
async def site(gateway: Gateway) -> AsyncIterator[Site]:
    """Two servers."""
    async with running(gateway) as made:
        yield made


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol."""
    name: str = request.param
    return name
