"""One echo server and one Envoy for the corpus."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.transcoding.corpus import descriptor_set, groups
from tests.envoy.transcoding.echo import Echo
from tests.envoy.upstream import serving


@dataclass(frozen=True)
class Served:
    """The corpus behind Envoy."""

    gateway: Gateway
    echo: Echo


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def served() -> AsyncIterator[Served]:
    """Serves each case file as a GrpcService of its own."""
    echo = Echo(groups())
    async with serving(echo) as port, running_gateway() as made:
        await made.serve(
            *(
                Exposed(
                    name=group.name,
                    descriptor=descriptor_set(group),
                    ports=(port,),
                    gateway={"hostnames": [group.host], **group.gateway},
                )
                for group in groups()
            )
        )
        yield Served(made, echo)
