"""Prometheus metrics of calls. Unary calls and streams apart: a stream's length says nothing.

The counters are plain numbers that only the event loop changes; the scrape turns them into
metrics. prometheus-client's own counters take a lock for every change.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Any
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from grpc_service_kit.call import Call, Method, Proceed

_UNARY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STREAM_BUCKETS = (0.01, 0.1, 1, 10, 60, 300, 900, 3600)


class _Durations:
    """How long the calls of one method with one status code took."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.total = 0.0


class _MethodMetrics:
    """What is counted for one method."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.bounds = _STREAM_BUCKETS if method.streaming else _UNARY_BUCKETS
        self.in_flight = 0
        self.by_code: dict[str, _Durations] = {"OK": _Durations(len(self.bounds))}

    def ended(self, code: str, seconds: float) -> None:
        durations = self.by_code.get(code)
        if durations is None:
            durations = self.by_code[code] = _Durations(len(self.bounds))
        durations.counts[bisect_left(self.bounds, seconds)] += 1
        durations.total += seconds


class CallMetrics(Collector):
    """The metrics of all methods of the servers that share a registry."""

    def __init__(self) -> None:
        self._methods: dict[str, _MethodMetrics] = {}

    def count_calls(self, method: Method, proceed: Proceed) -> Proceed:
        """Count every call: the interceptor."""
        metrics = self._methods.setdefault(method.path, _MethodMetrics(method))
        monotonic = time.monotonic

        async def call(call: Call, request: Any) -> Any:
            metrics.in_flight += 1
            try:
                return await proceed(call, request)
            finally:
                metrics.in_flight -= 1
                metrics.ended(call.code.name, monotonic() - call.began)

        return call

    def collect(self) -> Iterator[Metric]:
        """Yield what is counted so far."""
        yield from _family("rpc_server", "unary calls", self._of(streaming=False))
        yield from _family("rpc_server_stream", "streaming calls", self._of(streaming=True))

    def _of(self, *, streaming: bool) -> list[_MethodMetrics]:
        every = tuple(self._methods.values())
        return [metrics for metrics in every if metrics.method.streaming is streaming]


def _family(prefix: str, calls: str, every: list[_MethodMetrics]) -> Iterator[Metric]:
    handled = CounterMetricFamily(
        f"{prefix}_handled", f"Ended {calls}, by status code.", labels=("method", "code")
    )
    in_flight = GaugeMetricFamily(
        f"{prefix}_in_flight", f"{calls.capitalize()} that run now.", labels=("method",)
    )
    durations = HistogramMetricFamily(
        f"{prefix}_duration_seconds", f"How long {calls} took.", labels=("method", "code")
    )
    for metrics in every:
        name = metrics.method.name
        in_flight.add_metric((name,), metrics.in_flight)
        for code, measured in tuple(metrics.by_code.items()):
            cumulated = list(accumulate(measured.counts))
            bounds = [*map(str, map(float, metrics.bounds)), "+Inf"]
            handled.add_metric((name, code), cumulated[-1])
            durations.add_metric(
                (name, code), list(zip(bounds, cumulated, strict=True)), measured.total
            )
    yield from (handled, in_flight, durations)


_by_registry: WeakKeyDictionary[CollectorRegistry, CallMetrics] = WeakKeyDictionary()


def metrics_of(registry: CollectorRegistry) -> CallMetrics:
    """Return the metrics in a registry: the same ones for every server."""
    metrics = _by_registry.get(registry)
    if metrics is None:
        metrics = _by_registry[registry] = CallMetrics()
        registry.register(metrics)
    return metrics
