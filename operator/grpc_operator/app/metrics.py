"""Prometheus metrics of the operator."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

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
        self.registry = CollectorRegistry()
        self._reconciles = Counter(
            "grpc_operator_reconcile",
            "Looks taken at a GrpcService, by result (ok, retry, error).",
            ["result"],
            registry=self.registry,
        )
        self._duration = Histogram(
            "grpc_operator_reconcile_duration_seconds",
            "Duration of a look at a GrpcService.",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30),
            registry=self.registry,
        )
        self._writes = Counter(
            "grpc_operator_writes",
            "Writes sent to the API server, by verb and kind.",
            ["verb", "kind"],
            registry=self.registry,
        )
        self._watch_events = Counter(
            "grpc_operator_watch_events",
            "Events received from watches, by kind.",
            ["kind"],
            registry=self.registry,
        )
        for result in ("ok", "retry", "error"):
            self._reconciles.labels(result)

    def reconciled(self, result: str, seconds: float) -> None:
        """Counts one look."""
        self._reconciles.labels(result).inc()
        self._duration.observe(seconds)

    def wrote(self, verb: str, kind: str) -> None:
        """Counts one write."""
        self._writes.labels(verb, kind).inc()

    def watched(self, kind: str) -> None:
        """Counts one watch event."""
        self._watch_events.labels(kind).inc()

    def serve(self, stats: Stats) -> None:
        """Adds what the xDS server counts."""
        self.registry.register(_Xds(stats))
        self.gauge("xds_proxies", "Proxies connected to this replica.", lambda: stats.connected)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Adds a gauge that is read when the metrics are."""
        Gauge(f"grpc_operator_{name}", text, registry=self.registry).set_function(read)


class _Xds(Collector):
    """Reads the counters of the xDS server when the metrics are read."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yields the counters."""
        pushes = CounterMetricFamily(
            "grpc_operator_xds_pushes",
            "Responses sent to proxies, by type of resource.",
            labels=["type"],
        )
        for name in _XDS_TYPES:
            pushes.add_metric([name], self._stats.pushes[name])
        answers = CounterMetricFamily(
            "grpc_operator_xds_answers",
            "Answers of proxies to what they were sent: ack, or nack when they refused it.",
            labels=["answer"],
        )
        answers.add_metric(["ack"], self._stats.acks)
        answers.add_metric(["nack"], self._stats.nacks)
        yield pushes
        yield answers
