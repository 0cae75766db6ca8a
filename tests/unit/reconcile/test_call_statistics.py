"""Calls of revisions, from load reports and the status ports of proxies."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from grpc_operator.desired.gateway import call_series
from grpc_operator.desired.gateway.status_routes import CALLS, TIMES, StatusRoute
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.probe.proxy_stats import ProxyStatsError
from grpc_operator.reconcile.call_statistics import PERIOD, CallStatistics
from grpc_operator.reconcile.call_sums import FRESH_SECONDS
from grpc_operator.resources import Key, service_key
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls
from grpc_operator.xds.load_totals import Loads, Reported
from tests.unit.reconcile import GATEWAY, USERS, cluster, put_proxy, users
from tests.waiting import HANG

OLD, NEW = "shop/users", "shop/users@7f3a9c2e"
CLUSTERS = {"users": OLD, "users-7f3a9c2e": NEW}
GET = "user.v1.UserService/GetUser"


class Proxies:
    """Two ready proxies, and two replicas of the operator that they report to.

    Attributes:
        now: The time.
        loads_by_replica: What the replicas say.
        codes: What the proxies say, by address: calls of GetUser by cluster and status.
        times: The same by milliseconds.
        asked: Which proxies were asked for what.
        fails: Addresses that do not answer.
    """

    def __init__(self, store: Store) -> None:
        self.now = 0.0
        self.loads_by_replica: dict[str, dict[str, dict[str, Reported]]] = {"": {}, "10.0.0.9": {}}
        self.codes: dict[str, dict[tuple[str, int], int]] = {}
        self.times: dict[str, dict[tuple[str, float], int]] = {}
        self.asked: list[tuple[str, StatusRoute]] = []
        self.fails: set[str] = set()
        self.ended = asyncio.Event()
        calls = Calls[Any](lambda _: self.ended.set())
        self.statistics = CallStatistics(store, self, calls, self.read, lambda: self.now)

    async def loads(self, gateway: Key, service: Key) -> Mapping[str, Loads]:
        """Returns what the replicas say."""
        assert (gateway, service) == (GATEWAY, USERS)
        return json_copy(self.loads_by_replica)

    async def read(self, target: str, route: StatusRoute, service: Key) -> bytes:
        """Returns what a proxy says."""
        assert service == USERS
        self.asked.append((target, route))
        host = target.removesuffix(":19003")
        if host in self.fails:
            raise ProxyStatsError("no answer")
        return (
            written_times(self.times.get(host, {}))
            if route is TIMES
            else written_codes(self.codes.get(host, {}))
        )

    def of(self) -> Mapping[str, RevisionCalls] | None:
        """Asks for the calls of both revisions."""
        return self.statistics.of(GATEWAY, USERS, CLUSTERS)

    async def next(self) -> Mapping[str, RevisionCalls]:
        """Waits for another reading."""
        self.now += PERIOD
        self.ended.clear()
        self.of()
        await asyncio.wait_for(self.ended.wait(), HANG)
        found = self.of()
        assert found is not None
        return found


def json_copy(loads: Any) -> dict[str, Loads]:
    """Returns a copy, as another replica would send it."""
    return {
        replica: {
            node: {name: Reported(*each) for name, each in clusters.items()}
            for node, clusters in nodes.items()
        }
        for replica, nodes in json.loads(json.dumps(loads)).items()
    }


def written_codes(codes: Mapping[tuple[str, int], int]) -> bytes:
    """Returns counters as Envoy writes them."""
    start = call_series.start(call_series.CALLS)
    stats = [
        {"name": f"{start}{at}.grpc_method.{GET}.grpc_status.{code}", "value": n}
        for (at, code), n in codes.items()
    ]
    return json.dumps({"stats": stats}).encode()


def written_times(times: Mapping[tuple[str, float], int]) -> bytes:
    """Returns histograms as Envoy writes them."""
    start = call_series.start(call_series.TIMES)
    details = [
        {
            "name": f"{start}{at}.grpc_method.{GET}",
            "totals": [{"lower_bound": ms, "width": 0, "count": n}],
        }
        for (at, ms), n in times.items()
    ]
    return json.dumps({"stats": [{"histograms": {"details": details}}]}).encode()


def reported(ok: int = 0, failed: int = 0, in_progress: int = 0, age: float = 1.0) -> Reported:
    """Returns a load."""
    return Reported(ok, failed, ok + failed + in_progress, in_progress, age)


@pytest.fixture
def proxies() -> Proxies:
    """The proxies ``envoy-0`` and ``envoy-1``."""
    store = cluster(users())
    for name, address in (("envoy-0", "10.9.0.1"), ("envoy-1", "10.9.0.2")):
        put_proxy(store, name, address=address)
    return Proxies(store)


async def test_nothing_is_known_before_the_first_reading_which_is_where_sums_begin(
    proxies: Proxies,
) -> None:
    proxies.loads_by_replica[""] = {"envoy-0": {OLD: reported(100, 7)}}
    assert proxies.of() is None
    found = await proxies.next()
    assert (found["users"].ok, found["users"].failed) == (0, 0)


async def test_attempts_of_all_proxies_and_replicas_are_added(proxies: Proxies) -> None:
    await proxies.next()
    proxies.loads_by_replica[""] = {"envoy-0": {OLD: reported(5, 1), NEW: reported(2)}}
    proxies.loads_by_replica["10.0.0.9"] = {"envoy-1": {OLD: reported(7, 2), NEW: reported(0, 3)}}
    found = await proxies.next()
    assert proxies.statistics.known() == {USERS: found}
    assert (found["users"].ok, found["users"].failed) == (12, 3)
    assert (found["users-7f3a9c2e"].ok, found["users-7f3a9c2e"].failed) == (2, 3)


async def test_a_proxy_that_changes_to_another_replica_is_counted_once(proxies: Proxies) -> None:
    """Each replica goes on from where it was; the older one forgets the proxy after a while."""
    await proxies.next()
    proxies.loads_by_replica[""] = {"envoy-0": {OLD: reported(5)}}
    await proxies.next()
    proxies.loads_by_replica["10.0.0.9"] = {"envoy-0": {OLD: reported(4)}}
    await proxies.next()
    proxies.loads_by_replica[""] = {}
    await proxies.next()
    proxies.loads_by_replica[""] = {"envoy-0": {OLD: reported(1)}}
    assert (await proxies.next())["users"].ok == 10


async def test_calls_by_method_are_added_and_a_restarted_proxy_begins_at_zero(
    proxies: Proxies,
) -> None:
    await proxies.next()
    proxies.codes = {"10.9.0.1": {(OLD, 0): 90, (OLD, 13): 10}, "10.9.0.2": {(OLD, 0): 5}}
    await proxies.next()
    proxies.codes["10.9.0.1"] = {(OLD, 0): 3}
    found = await proxies.next()
    assert found["users"].methods == {GET: MethodCalls({0: 98, 13: 10})}


async def test_a_proxy_that_does_not_answer_is_caught_up_with(proxies: Proxies) -> None:
    await proxies.next()
    proxies.fails = {"10.9.0.1"}
    proxies.codes = {"10.9.0.1": {(NEW, 0): 4}, "10.9.0.2": {(NEW, 0): 1}}
    assert (await proxies.next())["users-7f3a9c2e"].methods[GET].total == 1
    proxies.fails = set()
    assert (await proxies.next())["users-7f3a9c2e"].methods[GET].total == 5


async def test_times_are_read_less_often(proxies: Proxies) -> None:
    await proxies.next()
    proxies.times = {"10.9.0.1": {(NEW, 20.0): 4}, "10.9.0.2": {(NEW, 30.0): 1}}
    for _ in range(3):
        found = await proxies.next()
    assert found["users-7f3a9c2e"].methods[GET].by_milliseconds == {20.0: 4, 30.0: 1}
    routes = [route for _, route in proxies.asked]
    assert (routes.count(CALLS), routes.count(TIMES)) == (8, 4)


async def test_calls_in_flight_are_those_of_the_newest_reports(proxies: Proxies) -> None:
    proxies.loads_by_replica[""] = {
        "envoy-0": {OLD: reported(in_progress=3)},
        "envoy-1": {OLD: reported(in_progress=9, age=FRESH_SECONDS)},
        "envoy-that-ends": {OLD: reported(in_progress=1)},
        "envoy-that-is-gone": {OLD: reported(in_progress=7, age=FRESH_SECONDS + 1)},
    }
    proxies.loads_by_replica["10.0.0.9"] = {"envoy-1": {OLD: reported(in_progress=2)}}
    assert (await proxies.next())["users"].in_flight == 6


async def test_calls_in_flight_are_unknown_when_a_ready_proxy_does_not_report(
    proxies: Proxies,
) -> None:
    proxies.loads_by_replica[""] = {
        "envoy-0": {OLD: reported()},
        "envoy-1": {OLD: reported(age=FRESH_SECONDS + 1), NEW: reported()},
    }
    found = await proxies.next()
    assert [found[name].in_flight for name in CLUSTERS] == [None, None]


async def test_readings_are_as_far_apart_as_the_period(proxies: Proxies) -> None:
    await proxies.next()
    asked = len(proxies.asked)
    assert proxies.statistics.due(USERS) == PERIOD
    proxies.now += PERIOD / 2
    for _ in range(3):
        proxies.of()
        await asyncio.sleep(0)
    assert (len(proxies.asked), proxies.statistics.due(USERS)) == (asked, PERIOD / 2)
    await proxies.next()
    assert len(proxies.asked) > asked


async def test_many_services_of_a_gateway_are_read_less_often(proxies: Proxies) -> None:
    """What they cost a proxy does not grow with their number."""
    await proxies.next()
    for number in range(9):
        proxies.statistics.of(GATEWAY, service_key("shop", f"s-{number}"), {})
    assert proxies.statistics.due(USERS) == 5.0
    for number in range(9):
        proxies.statistics.forget(service_key("shop", f"s-{number}"))
    assert proxies.statistics.due(USERS) == PERIOD


async def test_a_service_that_is_forgotten_begins_again(proxies: Proxies) -> None:
    await proxies.next()
    proxies.codes = {"10.9.0.1": {(OLD, 0): 5}}
    assert (await proxies.next())["users"].methods
    proxies.statistics.forget(USERS)
    assert proxies.of() is None
    assert not (await proxies.next())["users"].methods
