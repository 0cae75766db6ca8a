"""Which ready proxies of a gateway have the newest configuration, and since when others do not.

What counts is who gets calls: the ready pods. A proxy that has lost its connection to the operator
goes on with what it has, so it counts as long as that is what it should have.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grpc_operator.engine.store import Store
from grpc_operator.resources import PODS, Key
from grpc_operator.status.pod_problems import answering
from grpc_operator.timestamps import rfc3339

LATE_SECONDS = 5.0
"""Seconds after which a proxy that is behind is reported. Before, it may be applying a change, or
connecting again: within 2 s after its connection was closed (bootstrap.yaml.j2)."""

_PERIOD = 0.5
"""Seconds until proxies that are connected to another replica are asked again."""

_LATE_PERIOD = 10.0
"""The same when only proxies are behind that are reported already."""

_NAMED = 8
"""Proxies that are named; the others are counted."""


class Proxy(Protocol):
    """What is known of one connected proxy."""

    @property
    def node(self) -> str:
        """Name of its pod."""

    @property
    def config_hashes(self) -> Mapping[Key, str]:
        """What it has applied completely, by service."""

    @property
    def rejected(self) -> Mapping[Key | None, str]:
        """What it rejects, in its own words, by service; ``None``: of every service."""


class Proxies(Protocol):
    """The proxies of all replicas of the operator."""

    def of(self, gateway: Key, service: Key) -> Awaitable[Sequence[Proxy]]:
        """Returns the connected proxies of a gateway with what concerns one service."""


@dataclass(frozen=True)
class Behind:
    """A ready proxy that does not have the newest configuration.

    Attributes:
        node: Its pod.
        since: When that was first seen, in seconds since the epoch.
        connected: Whether it is connected to a replica of the operator.
        rejection: Why it rejects the configuration, in its own words, if it does.
    """

    node: str
    since: float
    connected: bool
    rejection: str | None = None

    def __str__(self) -> str:
        why = "it has not acknowledged the newest configuration"
        if not self.connected:
            why = "it is not connected to the operator"
        return f"{self.node} is behind since {rfc3339(self.since)}: {why}"


@dataclass(frozen=True)
class Serving:
    """The ready proxies of a gateway, as one service sees them.

    Attributes:
        ready: Their number, with those that reject their configuration and may never be ready.
        behind: Those that do not have the newest configuration, by name.
        late: Those of them that are reported.
        connected: The number of all that are connected, ready or not.
    """

    ready: int
    behind: tuple[Behind, ...]
    late: tuple[Behind, ...]
    connected: int

    @property
    def serving(self) -> int:
        """The number of those that do."""
        return self.ready - len(self.behind)

    @property
    def requeue_after(self) -> float | None:
        """Seconds until it is to be checked again; ``None`` when an event will say so."""
        if not self.behind:
            return None
        return _PERIOD if len(self.late) < len(self.behind) else _LATE_PERIOD

    @property
    def lateness(self) -> str:
        """Says which proxies are late, since when, and why."""
        named = "; ".join(map(str, self.late[:_NAMED]))
        more = len(self.late) - _NAMED
        return named + (f"; and {more} more" if more > 0 else "")

    @property
    def details(self) -> dict[str, Any]:
        """Returns ``status.proxies``."""
        found: dict[str, Any] = {"ready": self.ready, "serving": self.serving}
        if self.behind:
            found["behind"] = [each.node for each in self.behind[:_NAMED]]
        return found


@dataclass
class _Known:
    """What was last seen of a proxy.

    Attributes:
        config_hash: What it had applied; a proxy that is not connected keeps it.
        behind_since: When it was first seen to be behind; ``None`` while it is not.
    """

    config_hash: str | None = None
    behind_since: float | None = None


class ServingProxies:
    """Finds out which proxies serve a service.

    Args:
        store: Knows the pods of a gateway.
        proxies: The connected proxies.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self, store: Store, proxies: Proxies, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._proxies = proxies
        self._clock = clock
        self._known: dict[Key, dict[str, _Known]] = {}

    def forget(self, key: Key) -> None:
        """Forgets a service, or a gateway, that is gone."""
        self._known.pop(key, None)

    async def of(self, gateway: Key, service: Key, config_hash: str | None) -> Serving:
        """Returns which proxies have a configuration of a service.

        Args:
            gateway: The GrpcGateway.
            service: The GrpcService.
            config_hash: What they should have.
        """
        connected = {each.node: each for each in await self._proxies.of(gateway, service)}
        behind = {
            node: proxy
            for node, (proxy, has) in self._newest(gateway, service, connected).items()
            if has != config_hash
        }
        return self._serving(service, behind, len(connected))

    async def connected(self, gateway: Key) -> Serving:
        """Returns which proxies of a gateway are not connected."""
        connected = {each.node: each for each in await self._proxies.of(gateway, gateway)}
        known = self._newest(gateway, gateway, connected)
        missing = {node: proxy for node, (proxy, _) in known.items() if proxy is None}
        return self._serving(gateway, missing, len(connected))

    def _newest(
        self, gateway: Key, about: Key, connected: Mapping[str, Proxy]
    ) -> dict[str, tuple[Proxy | None, str | None]]:
        """Returns the proxies that count, and what each of them has, by name."""
        pods = answering(self._store.belonging(gateway, PODS))
        # One that rejects its configuration may never become ready, which is to be reported.
        refusing = {node for node, proxy in connected.items() if _rejection(proxy, about)}
        nodes = sorted({pod["metadata"]["name"] for pod in pods} | refusing)
        before = self._known.get(about, {})
        self._known[about] = {node: before.get(node) or _Known() for node in nodes}
        for node, known in self._known[about].items():
            if node in connected:
                known.config_hash = connected[node].config_hashes.get(about)
        return {
            node: (connected.get(node), known.config_hash)
            for node, known in self._known[about].items()
        }

    def _serving(self, about: Key, behind: Mapping[str, Proxy | None], connected: int) -> Serving:
        now, found = self._clock(), []
        for node, known in self._known[about].items():
            if node not in behind:
                known.behind_since = None
                continue
            known.behind_since = known.behind_since or now
            proxy = behind[node]
            rejection = _rejection(proxy, about) if proxy is not None else None
            found.append(Behind(node, known.behind_since, proxy is not None, rejection))
        late = tuple(each for each in found if now - each.since >= LATE_SECONDS)
        return Serving(len(self._known[about]), tuple(found), late, connected)


def _rejection(proxy: Proxy, about: Key) -> str | None:
    return proxy.rejected.get(about) or proxy.rejected.get(None)
