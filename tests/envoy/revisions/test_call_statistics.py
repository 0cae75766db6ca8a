"""How calls to revisions end, from a proxy's reports and counters to the sums of a rollout."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import pytest
import pytest_asyncio

from grpc_operator.desired.gateway.bootstrap import STATUS_NAME
from grpc_operator.desired.gateway.status_routes import StatusRoute
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.gateway.ir import cluster_of
from grpc_operator.probe import proxy_stats
from grpc_operator.reconcile import call_statistics
from grpc_operator.reconcile.call_statistics import CallStatistics
from grpc_operator.resources import PODS, Key, service_key
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls, method_name
from grpc_operator.xds import load_stream
from grpc_operator.xds.load_totals import Loads
from tests.envoy.protocols.gateway import NAMESPACE, running_gateway
from tests.envoy.revisions.site import API, CANDIDATE, PROTOCOLS, STABLE, Site, running
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

USERS = service_key(NAMESPACE, "users")
CLUSTERS = {name: cluster_of(USERS, name) for name in (STABLE, CANDIDATE)}
GET = method_name(API, "GetUser")
REPORTS = 0.2
"""Seconds between two reports, and two readings."""


class Statistics:
    """Statistics of the one proxy of a site, which is also its pod."""

    def __init__(self, site: Site) -> None:
        self._site = site
        gateway = site.gateway.ir.key
        store = Store()
        store.put(PODS, pod(gateway))
        self._gateway = gateway
        self._statistics = CallStatistics(store, self, Calls[Any](lambda _: None), self.read)

    async def loads(self, gateway: Key, service: Key) -> Mapping[str, Loads]:
        """Returns what the proxy has reported, to the one replica."""
        return {"": self._site.gateway.ads.load_reports.loads(gateway, service)}

    async def read(self, target: str, route: StatusRoute, service: Key) -> bytes:
        """Reads from the proxy, at the port that the kernel has chosen."""
        assert target == "127.0.0.1:19003"
        port = await self._site.gateway.envoy.port(STATUS_NAME)
        return await proxy_stats.read(f"127.0.0.1:{port}", route, service)

    def of(self, revision: str) -> RevisionCalls:
        """Returns what is known of a revision."""
        found = self._statistics.of(self._gateway, USERS, CLUSTERS)
        return found[revision] if found is not None else RevisionCalls()

    async def in_flight(self, revision: str, number: int) -> None:
        """Waits until so many calls of a revision are in flight."""

        async def reported() -> bool:
            return self.of(revision).in_flight == number

        await until(reported, f"{number} calls of {revision} are in flight")

    async def attempts(self, **expected: int) -> None:
        """Waits until the revisions have so many attempts."""

        async def reported() -> bool:
            return [self.of(each).attempts for each in CLUSTERS] == list(expected.values())

        await until(reported, f"{expected} attempts")


def pod(gateway: Key) -> dict[str, Any]:
    """Returns the pod of the proxy of a site."""
    return {
        "metadata": {
            "namespace": gateway.namespace,
            "name": "proxy-0",
            "uid": "uid-0",
            "resourceVersion": "1",
            "labels": {"grpc.infera.dev/gateway": gateway.name},
        },
        "status": {
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_stream, "INTERVAL", REPORTS)
    monkeypatch.setattr(load_stream, "_REPORTS_PER_SECOND", 50)
    monkeypatch.setattr(call_statistics, "PERIOD", REPORTS)
    monkeypatch.setattr(call_statistics, "_PERIOD_OF_GATEWAY", REPORTS)


async def begun(site: Site) -> Statistics:
    """Serves both revisions, and returns statistics that have begun."""
    await site.serve(site.revised(50, 50))
    made = Statistics(site)
    for revision in CLUSTERS:
        await made.in_flight(revision, 0)
    return made


@pytest_asyncio.fixture(loop_scope="package")
async def statistics(site: Site) -> AsyncIterator[Statistics]:
    """Statistics that have begun."""
    yield await begun(site)
    await site.serve(site.revised(100, 0))


async def test_calls_are_counted_once_by_revision_method_and_status(
    site: Site, statistics: Statistics, protocol: str
) -> None:
    """By every protocol: what a client gets is what counts."""
    found = await site.many(40, protocol)
    await statistics.attempts(stable=found[STABLE], candidate=found[CANDIDATE])
    for revision in CLUSTERS:
        calls = statistics.of(revision)
        assert calls.failed == 0
        assert {name: dict(each.by_code) for name, each in calls.methods.items()} == {
            GET: {0: found[revision]}
        }


async def test_a_stream_of_a_revision_without_weight_is_in_flight_until_it_ends(
    site: Site, statistics: Statistics
) -> None:
    """Its cluster stays, and so do the reports of it."""
    await site.serve(site.revised(0, 100))
    stream = site.watch()
    await stream.read()
    await site.serve(site.revised(100, 0))
    await statistics.in_flight(CANDIDATE, 1)
    await asyncio.sleep(5 * REPORTS)
    assert statistics.of(CANDIDATE).in_flight == 1
    site.servers[CANDIDATE].end.set()
    await stream.read()
    await statistics.in_flight(CANDIDATE, 0)
    assert await stream.code() is grpc.StatusCode.OK
    site.servers[CANDIDATE].end.clear()


async def test_times_of_calls_by_every_protocol_are_counted_once() -> None:
    """Envoy adds them every 5 s; so this proxy has no calls of other tests."""
    async with running_gateway() as gateway, running(gateway) as site:
        statistics, found = await begun(site), Counter[str]()
        for protocol in PROTOCOLS:
            found += await site.many(20, protocol)

        async def timed() -> bool:
            calls = (statistics.of(each).methods.get(GET, MethodCalls()) for each in CLUSTERS)
            return [each.timed for each in calls] == [found[each] for each in CLUSTERS]

        await until(timed, "the times of all calls are known")
        for revision in CLUSTERS:
            calls = statistics.of(revision).methods[GET]
            assert calls.total == found[revision]
            assert calls.milliseconds(95) is not None
