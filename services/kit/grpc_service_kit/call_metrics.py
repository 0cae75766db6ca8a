"""CallMetrics: Prometheus metrics of calls, under the names that gRPC libraries share.

Names, labels and values are those of github.com/grpc-ecosystem/go-grpc-middleware
(providers/prometheus), so that existing dashboards and alerts fit; ``in_flight`` is added.

The counters are plain numbers that only the event loop changes; the scrape turns them into
metrics. prometheus-client's own counters take a lock for every change.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal
from weakref import WeakKeyDictionary

import grpc
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Side = Literal["server", "client"]

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)
"""Seconds; the last three are for streams."""
_LABELS = ("grpc_type", "grpc_service", "grpc_method")
_CODES = {code: "".join(map(str.capitalize, code.name.split("_"))) for code in grpc.StatusCode}
_CODES |= {grpc.StatusCode.OK: "OK", grpc.StatusCode.CANCELLED: "Canceled"}
"""As grpc-go writes codes."""


class MethodMetrics:
    """What is counted for one method."""

    __slots__ = ("by_code", "counts", "in_flight", "labels", "started", "total")

    def __init__(self, labels: tuple[str, str, str]) -> None:
        """Count from zero; `labels` are type, service and method."""
        self.labels = labels
        self.started = 0
        self.in_flight = 0
        self.by_code: dict[grpc.StatusCode, int] = {}
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0

    def begin(self) -> float:
        """Count a call that begins, and return the time.monotonic()."""
        self.started += 1
        self.in_flight += 1
        return time.monotonic()

    def end(self, code: grpc.StatusCode, began: float) -> None:
        """Count the end of a call that began at that time.monotonic()."""
        seconds = time.monotonic() - began
        self.in_flight -= 1
        self.by_code[code] = self.by_code.get(code, 0) + 1
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds


class CallMetrics(Collector):
    """The metrics of all methods that are served, or called, by those who share a registry."""

    def __init__(self, side: Side) -> None:
        """Begin with no method."""
        self._side = side
        self._methods: dict[str, MethodMetrics] = {}

    def of(self, path: str, *, requests: bool, responses: bool) -> MethodMetrics:
        """Return the metrics of a method.

        Args:
            path: As on the wire: `/package.Service/Method`.
            requests: Whether it may take more than one.
            responses: Whether it may give more than one.
        """
        found = self._methods.get(path)
        if found is None:
            service, _, method = path.removeprefix("/").rpartition("/")
            labels = (_kind(requests=requests, responses=responses), service, method)
            found = self._methods[path] = MethodMetrics(labels)
        return found

    def collect(self) -> Iterator[Metric]:
        """Yield what is counted so far."""
        prefix, does = f"grpc_{self._side}", _VERBS[self._side]
        started = CounterMetricFamily(
            f"{prefix}_started", f"Calls that the {self._side} began to {does}.", labels=_LABELS
        )
        handled = CounterMetricFamily(
            f"{prefix}_handled",
            f"Calls that have ended on the {self._side}, by status code.",
            labels=(*_LABELS, "grpc_code"),
        )
        in_flight = GaugeMetricFamily(
            f"{prefix}_in_flight", f"Calls that run now on the {self._side}.", labels=_LABELS
        )
        handling = HistogramMetricFamily(
            f"{prefix}_handling_seconds",
            f"Time from the begin to the end of a call on the {self._side}.",
            labels=_LABELS,
        )
        for metrics in tuple(self._methods.values()):
            started.add_metric(metrics.labels, metrics.started)
            in_flight.add_metric(metrics.labels, metrics.in_flight)
            for code, count in tuple(metrics.by_code.items()):
                handled.add_metric((*metrics.labels, _CODES[code]), count)
            bounds = [*map(str, map(float, _BOUNDS)), "+Inf"]
            buckets = list(zip(bounds, accumulate(metrics.counts), strict=True))
            handling.add_metric(metrics.labels, buckets, metrics.total)
        yield from (started, handled, in_flight, handling)


_VERBS: dict[Side, str] = {"server": "serve", "client": "make"}


def _kind(*, requests: bool, responses: bool) -> str:
    if requests:
        return "bidi_stream" if responses else "client_stream"
    return "server_stream" if responses else "unary"


_by_registry: WeakKeyDictionary[CollectorRegistry, dict[Side, CallMetrics]] = WeakKeyDictionary()


def metrics_of(registry: CollectorRegistry, side: Side) -> CallMetrics:
    """Return the metrics in a registry: the same ones for every server, or for every channel."""
    sides = _by_registry.setdefault(registry, {})
    if side not in sides:
        sides[side] = CallMetrics(side)
        registry.register(sides[side])
    return sides[side]
