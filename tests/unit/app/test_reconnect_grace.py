"""Proxies get the time to reconnect, whenever a replica begins to write."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from grpc_operator import names
from grpc_operator.app.proxies import ConnectedProxies
from grpc_operator.app.reconnect_grace import GRACE_SECONDS, ReconnectGrace
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.engine.store import Store
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS
from tests.unit.reconcile import GATEWAY, owner


@dataclass
class Proxy:
    """A connected proxy that has nothing yet, and needs nothing."""

    config_hashes: dict[Any, str] = field(default_factory=dict)


class Proxies:
    """One proxy, which is connected from the third time on that it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    async def of(self, *_: Any) -> list[Proxy]:
        """Returns the connected proxies."""
        self.asked += 1
        return [Proxy()] if self.asked >= 3 else []


class Plane:
    """A control plane without services."""

    def attached(self, _: Any) -> list[Any]:
        """Returns no service."""
        return []

    def state(self, _: Any) -> None:
        """Returns that nothing was built."""


@pytest.mark.parametrize("standing_by", [0.0, 10 * GRACE_SECONDS])
async def test_proxies_reconnect_before_anything_is_reported(
    monkeypatch: pytest.MonkeyPatch, standing_by: float
) -> None:
    """Also to a replica that has served for long when the leader ends."""
    store, proxies = Store(), Proxies()
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, {}))
    workload = names.gateway_workload(GATEWAY.name)
    metadata = {"namespace": GATEWAY.namespace, "name": workload, "resourceVersion": "1"}
    store.put(DEPLOYMENTS, {"metadata": metadata, "status": {"readyReplicas": 1}})
    plane = cast("ControlPlane", Plane())
    grace = ReconnectGrace(store, cast("ConnectedProxies", proxies), plane)
    grace.start()
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + standing_by)
    await grace.wait()
    assert proxies.asked == 3
