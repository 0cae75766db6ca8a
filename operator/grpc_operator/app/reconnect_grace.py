"""After a restart of the operator: the time that proxies take to come back.

A proxy that has lost its xDS stream opens another one within two seconds (bootstrap.yaml.j2). Who
reports before that says of every service that it is not programmed, and a moment later that it is.
"""

import asyncio

from grpc_operator import names
from grpc_operator.app.proxies import AllProxies
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.engine.store import Store
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS, Key

TIME_TO_RETURN = 5.0
"""Seconds that proxies get, counted from when xDS is served: two tries and a slow machine."""

_POLL = 0.1


class Returning:
    """Waits for proxies that were there before.

    Args:
        store: Says how many proxies a gateway has.
        proxies: Who is connected.
        control_plane: What they should hold.
    """

    def __init__(self, store: Store, proxies: AllProxies, control_plane: ControlPlane) -> None:
        self._store = store
        self._proxies = proxies
        self._control_plane = control_plane
        self._serving = asyncio.Event()
        self._since = 0.0

    def begin(self) -> None:
        """Tells that xDS is served from now on."""
        self._since = asyncio.get_running_loop().time()
        self._serving.set()

    async def wait(self) -> None:
        """Returns when all are back and hold what they should, or have had their time."""
        await self._serving.wait()
        loop = asyncio.get_running_loop()
        while (  # noqa: ASYNC110 - other replicas are asked, nobody tells
            loop.time() - self._since < TIME_TO_RETURN and not await self._are_back()
        ):
            await asyncio.sleep(_POLL)

    async def _are_back(self) -> bool:
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
