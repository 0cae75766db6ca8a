"""Fixtures: an ADS server, and Envoys that end with the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from grpc_operator.resources import Key
from grpc_operator.xds import pending
from grpc_operator.xds.server import AdsServer
from grpc_operator.xds.state import ProxyState
from grpc_operator.xds.tls import ServerTls
from grpc_service_kit.testing.postgres import free_port
from tests.envoy.configuration import GATEWAY, Service, snapshot
from tests.envoy.envoy import Envoy
from tests.waiting import HANG, until
from tests.xds_access import Named, tls

StartEnvoy = Callable[..., Awaitable[Envoy]]
"""``Envoy.start`` whose process ends with the test."""


@pytest.fixture
async def start_envoy() -> AsyncIterator[StartEnvoy]:
    """Starts Envoys; their logs are shown when the test fails."""
    started: list[Envoy] = []

    async def start(xds_port: int, **options: Any) -> Envoy:
        envoy = await Envoy.start(xds_port, **options)
        started.append(envoy)
        return envoy

    yield start
    for envoy in started:
        print(f"--- log of {envoy.directory.name} ---\n{envoy.log()[-20_000:]}")  # noqa: T201
        await envoy.stop()


@dataclass
class Control:
    """An ADS server under test.

    Attributes:
        server: Replaced by ``restart``.
        port: Stays the same after a restart.
        named: Tells proxies apart.
        tls: The certificate that is shown.
        reported: Every call of ``on_state``.
    """

    port: int
    server: AdsServer
    named: Named
    tls: ServerTls
    reported: list[tuple[Key, frozenset[Key]]] = field(default_factory=list)

    @classmethod
    async def start(cls) -> "Control":
        """Starts one on a free port of loopback."""
        port = free_port()
        reported: list[tuple[Key, frozenset[Key]]] = []
        named = Named()
        server = AdsServer(lambda *call: reported.append(call), named)
        control = cls(port, server, named, tls(), reported)
        await control.server.start(port, control.tls, "127.0.0.1")
        return control

    async def restart(self) -> None:
        """Replaces the server by one that knows nothing."""
        await self.server.stop(1)
        self.server = AdsServer(lambda *call: self.reported.append(call), self.named)
        await self.server.start(self.port, self.tls, "127.0.0.1")

    def publish(self, *services: Service, listeners: tuple[str, ...] = ("http",)) -> None:
        """Publishes a snapshot of these services."""
        self.server.publish(GATEWAY, snapshot(services, listeners))

    def proxies(self) -> tuple[ProxyState, ...]:
        """Returns the connected proxies."""
        return self.server.proxies(GATEWAY)

    async def complete(self, *services: Service, proxies: int = 1) -> None:
        """Waits until every proxy has taken everything of these services."""
        hashes = snapshot(services).config_hashes

        async def done() -> bool:
            states = self.proxies()
            return len(states) == proxies and all(
                hashes.items() <= state.config_hashes.items() for state in states
            )

        names = [service.name for service in services]
        await until(done, f"{proxies} proxies have all of {names}; {self.proxies()}")


@pytest.fixture
async def control(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Control]:
    """An ADS server on loopback that never goes on without an answer.

    What waits for something that does not come would wait for ever, here and in Envoy, so what
    ends at all was not held up.
    """
    monkeypatch.setattr(pending, "ACK_TIMEOUT", 10 * HANG)
    made = await Control.start()
    yield made
    await made.server.stop(0)
