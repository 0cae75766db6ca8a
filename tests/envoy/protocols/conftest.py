"""The user service on several hosts behind one Envoy, and clients for each protocol."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.envoy.calls import Schema
from tests.envoy.protocols.backends import user_descriptor, user_service
from tests.envoy.protocols.clients import Client, GrpcClient, RestClient, WebClient
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway

USERS = "users.test"
PROTOCOLS = ("grpc", "grpc-web", "grpc-web-text", "rest")


@dataclass(frozen=True)
class Site:
    """The gateway with the user service behind it.

    Attributes:
        upstream: Port of the user service itself.
    """

    gateway: Gateway
    upstream: int
    schema: Schema

    def client(self, protocol: str, host: str = USERS) -> Client:
        """Returns a client of the user service on a host."""
        clients: dict[str, Client] = {
            "direct": GrpcClient(self.schema, self.upstream, host),
            "grpc": GrpcClient(self.schema, self.gateway.port, host),
            "grpc-web": WebClient(self.schema, self.gateway.port, host),
            "grpc-web-text": WebClient(self.schema, self.gateway.port, host, text=True),
            "rest": RestClient(self.gateway.port, host),
        }
        return clients[protocol]


_GATEWAYS: dict[str, dict[str, Any]] = {
    "users": {"hostnames": [USERS, "*.wild.test"]},
    "only-grpc": {"hostnames": ["only-grpc.test"], "protocols": ["GRPC"]},
    "only-web": {"hostnames": ["only-web.test"], "protocols": ["GRPCWeb"]},
    "only-rest": {"hostnames": ["only-rest.test"], "protocols": ["REST"]},
    "exposed": {"hostnames": ["exposed.test"], "expose": ["Health", "Reflection"]},
    "pages": {
        "hostnames": ["pages.test"],
        "cors": {"allowOrigins": ["https://app.test", "https://*.apps.test"], "maxAge": "1h"},
    },
    "small": {"hostnames": ["small.test"], "maxMessageBytes": 1024},
    "auto": {"hostnames": ["auto.test"], "rest": {"autoMapping": "Enabled"}},
    "lines": {"hostnames": ["lines.test"], "rest": {"streamFormat": "NDJSON"}},
    "events": {"hostnames": ["events.test"], "rest": {"streamFormat": "SSE"}},
}
"""``spec.gateway`` of each GrpcService; all of them are the same user service."""


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def site() -> AsyncIterator[Site]:
    """One user service, one Envoy."""
    descriptor = user_descriptor()
    async with user_service() as upstream, running_gateway() as made:
        await made.serve(
            *(
                Exposed(name, descriptor, (upstream,), gateway)
                for name, gateway in _GATEWAYS.items()
            )
        )
        yield Site(made, upstream, Schema(descriptor))


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol."""
    name: str = request.param
    return name


@pytest.fixture
def client(site: Site, protocol: str) -> Client:
    """A client of each protocol."""
    return site.client(protocol)
