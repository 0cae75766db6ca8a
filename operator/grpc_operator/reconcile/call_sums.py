"""The calls of one service, from one reading of the replicas and proxies to the next."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from grpc_operator import limits
from grpc_operator.desired.gateway.status_routes import StatusRoute
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls
from grpc_operator.rollout.counting import Counting
from grpc_operator.rollout.proxy_counters import Series
from grpc_operator.xds.load_totals import Loads

FRESH_SECONDS = 6.0
"""Seconds for which a load report says how many calls are in flight: three intervals. Envoy opens
its stream again 5 s after it has ended."""


@dataclass(frozen=True)
class Reading:
    """What the replicas and proxies say at one time.

    Attributes:
        loads: Load reports, by replica.
        ready: The proxies that are ready.
        counters: Calls by method; by proxy, and what it was asked for.
    """

    loads: Mapping[str, Loads]
    ready: frozenset[str]
    counters: Mapping[tuple[str, StatusRoute], Mapping[Series, int]]


class _Attempts(NamedTuple):
    node: str
    cluster: str
    failed: bool


class CallSums:
    """The calls of one service since the first reading.

    Attributes:
        readings: How many there were.
        by_cluster: The calls, by Envoy cluster.
    """

    def __init__(self) -> None:
        self.readings = 0
        self.by_cluster: Mapping[str, RevisionCalls] = {}
        most = limits.CALL_STATISTICS_SERIES.value
        self._attempts = Counting[_Attempts](most)
        self._methods = Counting[Series](most)

    def add(self, reading: Reading) -> None:
        """Adds what has changed since the reading before."""
        self.readings += 1
        for replica, loads in reading.loads.items():
            self._attempts.read(replica, _attempts(loads))
        for source, counters in reading.counters.items():
            self._methods.read(source, counters)
        self.by_cluster = self._summed(reading)

    def _summed(self, reading: Reading) -> dict[str, RevisionCalls]:
        attempts: dict[tuple[str, bool], int] = defaultdict(int)
        for (_, cluster, failed), number in self._attempts.sums.items():
            attempts[cluster, failed] += number
        methods = _methods(self._methods.sums)
        flights = _in_flight(reading)
        return {
            cluster: RevisionCalls(
                attempts[cluster, False],
                attempts[cluster, True],
                flights.get(cluster),
                methods.get(cluster, {}),
            )
            for cluster in {name for name, _ in attempts} | methods.keys() | flights.keys()
        }


def _attempts(loads: Loads) -> dict[_Attempts, int]:
    return {
        _Attempts(node, cluster, failed): number
        for node, clusters in loads.items()
        for cluster, load in clusters.items()
        for failed, number in ((False, load.ok), (True, load.failed))
    }


def _methods(sums: Mapping[Series, int]) -> dict[str, dict[str, MethodCalls]]:
    """Returns the calls by cluster and method."""
    codes: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    times: dict[tuple[str, str], dict[float, int]] = defaultdict(dict)
    for series, number in sums.items():
        if series.code is None:
            times[series.cluster, series.method][series.milliseconds] = number
        else:
            codes[series.cluster, series.method][series.code] = number
    found: dict[str, dict[str, MethodCalls]] = defaultdict(dict)
    for cluster, method in codes.keys() | times.keys():
        calls = MethodCalls(codes.get((cluster, method), {}), times.get((cluster, method), {}))
        found[cluster][method] = calls
    return found


def _in_flight(reading: Reading) -> dict[str, int]:
    """Returns the calls in flight of the clusters of which every ready proxy has just reported.

    Proxies that are not ready count, too: those that end finish their streams.
    """
    newest: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for loads in reading.loads.values():
        for node, clusters in loads.items():
            for cluster, load in clusters.items():
                found = (load.age, load.in_progress)
                if load.age <= FRESH_SECONDS:
                    newest[cluster][node] = min(found, newest[cluster].get(node, found))
    return {
        cluster: sum(number for _, number in nodes.values())
        for cluster, nodes in newest.items()
        if reading.ready and reading.ready <= nodes.keys()
    }
