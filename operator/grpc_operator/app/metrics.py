"""Prometheus metrics of the operator, named after those of controller-runtime."""

from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from grpc_operator.resources import OWNERS
from grpc_operator.xds.state import Stats

_XDS_TYPES = (
    "Cluster",
    "ClusterLoadAssignment",
    "Listener",
    "RouteConfiguration",
    "ScopedRouteConfiguration",
)


class Metrics:
    """Every metric, in a registry of its own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self.registry = CollectorRegistry()
        self._reconciles = Counter(
            "grpc_operator_reconcile",
            "Reconciliations, by kind and result (success, requeue, error).",
            ["kind", "result"],
            registry=self.registry,
        )
        self._duration = Histogram(
            "grpc_operator_reconcile_time_seconds",
            "Duration of a reconciliation, by kind.",
            ["kind"],
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30),
            registry=self.registry,
        )
        self._writes = Counter(
            "grpc_operator_writes",
            "Write requests to the API server, by verb and kind.",
            ["verb", "kind"],
            registry=self.registry,
        )
        self._write_failures = Counter(
            "grpc_operator_write_failures",
            "Write requests that the API server refused or did not answer (code 0), by verb, kind"
            " and HTTP status.",
            ["verb", "kind", "code"],
            registry=self.registry,
        )
        self._watch_events = Counter(
            "grpc_operator_watch_events",
            "Watch events received, by kind.",
            ["kind"],
            registry=self.registry,
        )
        for owner in OWNERS:
            self._duration.labels(owner.kind)
            for result in ("success", "requeue", "error"):
                self._reconciles.labels(owner.kind, result)

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Counts one reconciliation."""
        self._reconciles.labels(kind, result).inc()
        self._duration.labels(kind).observe(seconds)

    def wrote(self, verb: str, kind: str) -> None:
        """Counts one write request."""
        self._writes.labels(verb, kind).inc()

    def write_failed(self, verb: str, kind: str, status: int) -> None:
        """Counts one write request that failed with an HTTP status, or 0."""
        self._write_failures.labels(verb, kind, str(status)).inc()

    def watched(self, kind: str) -> None:
        """Counts one watch event."""
        self._watch_events.labels(kind).inc()

    def serve(self, stats: Stats) -> None:
        """Adds the metrics of the xDS server."""
        self.registry.register(_Xds(stats))
        self.gauge("xds_proxies", "Proxies connected to this replica.", lambda: stats.connected)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Adds a gauge whose value is read at each scrape."""
        Gauge(f"grpc_operator_{name}", text, registry=self.registry).set_function(read)


class _Xds(Collector):
    """Reads the counters of the xDS server at each scrape."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yields the counters."""
        pushes = CounterMetricFamily(
            "grpc_operator_xds_pushes",
            "xDS responses sent to proxies, by resource type.",
            labels=["type"],
        )
        for name in _XDS_TYPES:
            pushes.add_metric([name], self._stats.pushes[name])
        yield pushes
        yield CounterMetricFamily(
            "grpc_operator_xds_acks",
            "xDS responses that proxies acknowledged (ACK).",
            value=self._stats.acks,
        )
        yield CounterMetricFamily(
            "grpc_operator_xds_nacks",
            "xDS responses that proxies rejected (NACK).",
            value=self._stats.nacks,
        )
        yield CounterMetricFamily(
            "grpc_operator_load_reports",
            "Load reports of proxies, of GrpcServices that have several revisions.",
            value=self._stats.load_reports,
        )
