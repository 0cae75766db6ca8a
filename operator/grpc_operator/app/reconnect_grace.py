"""The grace period in which proxies reconnect when a replica begins to write.

It was started, or the one before has ended: a proxy that has lost its xDS stream opens another one
within two seconds (bootstrap.yaml.j2). A status that is reported before that would be
Programmed=False, and True again a moment later.
"""

import asyncio

from grpc_operator import names
from grpc_operator.app.proxies import ConnectedProxies
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.engine.store import Store
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS, Key

GRACE_SECONDS = 5.0
"""Seconds that proxies get, once xDS is served: two attempts and a slow machine."""

_POLL = 0.1


class ReconnectGrace:
    """Waits until the proxies of every gateway are connected and up to date.

    Args:
        store: Knows how many proxies a gateway has.
        proxies: The connected proxies.
        control_plane: Knows the configuration that they should have.
    """

    def __init__(
        self, store: Store, proxies: ConnectedProxies, control_plane: ControlPlane
    ) -> None:
        self._store = store
        self._proxies = proxies
        self._control_plane = control_plane
        self._serving = asyncio.Event()

    def start(self) -> None:
        """Lets proxies connect: xDS is served from now on."""
        self._serving.set()

    async def wait(self) -> None:
        """Returns when all proxies are up to date, or when the grace period has ended."""
        await self._serving.wait()
        loop = asyncio.get_running_loop()
        end = loop.time() + GRACE_SECONDS
        while (  # noqa: ASYNC110 - other replicas must be polled
            loop.time() < end and not await self._all_are_up_to_date()
        ):
            await asyncio.sleep(_POLL)

    async def _all_are_up_to_date(self) -> bool:
        gateways = [key for key in self._store.owners() if key.kind == GRPC_GATEWAYS.kind]
        for gateway in gateways:
            expected = self._expected(gateway)
            for service in self._control_plane.attached(gateway) or [gateway]:
                state = self._control_plane.state(service)
                proxies = await self._proxies.of(gateway, service)
                config_hash = state.config_hash if isinstance(state, Built) else None
                behind = [
                    each for each in proxies if each.config_hashes.get(service) != config_hash
                ]
                if behind or len(proxies) < expected:
                    return False
        return True

    def _expected(self, gateway: Key) -> int:
        name = names.gateway_workload(gateway.name)
        deployment = self._store.get(DEPLOYMENTS, gateway.namespace, name) or {}
        return int(deployment.get("status", {}).get("readyReplicas", 0))
