"""How calls to the revisions of a service end, from all proxies of its gateway.

The proxies report attempts to any replica of the operator. Calls by method, and their times, are
read from their status ports, beside the workers and only while somebody asks.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from grpc_operator import names
from grpc_operator.desired.gateway import status_routes
from grpc_operator.desired.gateway.status_routes import StatusRoute
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.probe.proxy_stats import ProxyStatsError
from grpc_operator.reconcile.call_sums import CallSums, Reading
from grpc_operator.resources import PODS, Key
from grpc_operator.rollout import proxy_counters
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.proxy_counters import Series
from grpc_operator.status.pod_problems import answering
from grpc_operator.xds.load_totals import Loads

logger = logging.getLogger(__name__)

PERIOD = 2.0
"""Seconds between two readings of a service, at least."""

_PERIOD_OF_GATEWAY = 0.5
"""The same of all services of a gateway: a reading takes the main thread of each of its proxies up
to 20 ms, with 400 services (docs/adr/0045)."""

_TIMES_EVERY = 3
"""Readings from one of times to the next: Envoy adds new ones every 5 s."""

_AT_ONCE = 8
"""Proxies that are read at a time."""

ReadProxy = Callable[[str, StatusRoute, Key], Awaitable[bytes]]
"""Reads from the status port at HOST:PORT (``probe.proxy_stats.read``)."""

_PARSE: Mapping[StatusRoute, Callable[[bytes], dict[Series, int]]] = {
    status_routes.CALLS: proxy_counters.of_codes,
    status_routes.TIMES: proxy_counters.of_times,
}


class LoadsOfProxies(Protocol):
    """The load reports of all replicas."""

    def loads(self, gateway: Key, service: Key) -> Awaitable[Mapping[str, Loads]]:
        """Returns what proxies have reported of the calls of a service, by replica."""


@dataclass
class _Known:
    """What is known of one service.

    Attributes:
        gateway: Its gateway.
        clusters: Those of its revisions.
        sums: Its calls.
        began: When the last reading did, in seconds.
        is_read: Whether it has not ended.
    """

    gateway: Key
    clusters: Mapping[str, str] = field(default_factory=dict)
    sums: CallSums = field(default_factory=CallSums)
    began: float = float("-inf")
    is_read: bool = False

    def by_revision(self) -> dict[str, RevisionCalls]:
        """Returns the calls of each revision."""
        found = self.sums.by_cluster
        return {
            name: found.get(cluster, RevisionCalls()) for name, cluster in self.clusters.items()
        }


class CallStatistics:
    """What is known of the calls of services that are rolled out.

    Args:
        store: Knows the pods of a gateway.
        proxies: The load reports.
        calls: Where proxies are read; the service is enqueued when that has ended.
        read: Reads from a proxy.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        store: Store,
        proxies: LoadsOfProxies,
        calls: Calls[Reading],
        read: ReadProxy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._proxies = proxies
        self._calls = calls
        self._read = read
        self._clock = clock
        self._known: dict[Key, _Known] = {}

    def of(
        self, gateway: Key, service: Key, clusters: Mapping[str, str]
    ) -> Mapping[str, RevisionCalls] | None:
        """Returns the calls of revisions since this process was first asked for the service.

        Takes the last reading, and begins another one if it is time to; waits for neither. Sums
        never decrease.

        Args:
            gateway: The GrpcGateway.
            service: The GrpcService.
            clusters: The Envoy cluster of each revision (``ir.cluster_of``).

        Returns:
            By revision; ``None`` before the first reading has ended.
        """
        known = self._known.get(service)
        if known is None or known.gateway != gateway:
            self.forget(service)
            known = self._known[service] = _Known(gateway)
        known.clusters = clusters
        self._refresh(service, known)
        return known.by_revision() if known.sums.readings else None

    def known(self) -> Mapping[Key, Mapping[str, RevisionCalls]]:
        """Returns what is known of all services that are rolled out, by revision."""
        return {
            service: known.by_revision()
            for service, known in self._known.items()
            if known.sums.readings
        }

    def due(self, service: Key) -> float:
        """Returns in how many seconds the next reading is due; 0 when nobody has asked yet."""
        known = self._known.get(service)
        return max(0.0, self._due_at(known) - self._clock()) if known is not None else 0.0

    def forget(self, service: Key) -> None:
        """Forgets a service that is gone, or not rolled out any more."""
        if self._known.pop(service, None) is not None:
            self._calls.forget(service)

    def _due_at(self, known: _Known) -> float:
        others = sum(each.gateway == known.gateway for each in self._known.values())
        return known.began + max(PERIOD, _PERIOD_OF_GATEWAY * others)

    def _refresh(self, service: Key, known: _Known) -> None:
        def make() -> Awaitable[Reading]:
            return self._reading(service, known.gateway, known.sums.readings)

        if known.is_read:
            reading = self._calls.result(service, known.began, make)
            if reading is None:
                return
            known.sums.add(reading)
            known.is_read = False
        now = self._clock()
        if self._due_at(known) <= now:
            known.began, known.is_read = now, True
            self._calls.result(service, known.began, make)

    async def _reading(self, service: Key, gateway: Key, number: int) -> Reading:
        """Asks the replicas and the ready proxies."""
        pods = answering(self._store.belonging(gateway, PODS))
        addresses = {pod["metadata"]["name"]: str(pod["status"]["podIP"]) for pod in pods}
        routes = [status_routes.CALLS]
        if number % _TIMES_EVERY == 0:
            routes.append(status_routes.TIMES)
        slots = asyncio.Semaphore(_AT_ONCE)
        asked = [(node, route) for node in addresses for route in routes]
        loads, answers = await asyncio.gather(
            self._proxies.loads(gateway, service),
            asyncio.gather(
                *(self._counters(slots, addresses[node], route, service) for node, route in asked)
            ),
        )
        counters = {
            source: answer
            for source, answer in zip(asked, answers, strict=True)
            if answer is not None
        }
        return Reading(loads, frozenset(addresses), counters)

    async def _counters(
        self, slots: asyncio.Semaphore, host: str, route: StatusRoute, service: Key
    ) -> dict[Series, int] | None:
        """Returns what one proxy has counted; ``None`` when it does not say: the next one does."""
        target = names.host_port(host, names.GATEWAY_STATUS_PORT)
        try:
            async with slots:
                answer = await self._read(target, route, service)
                return await asyncio.to_thread(_PARSE[route], answer)
        except (ProxyStatsError, ValueError) as error:
            logger.debug("Calls of %s: %s", service.namespaced_name, error)
            return None
