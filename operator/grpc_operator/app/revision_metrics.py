"""Metrics of the revisions of each GrpcService, while they are rolled out.

They have the names of tenants' objects, as those of ``object_metrics``, and exist where those do.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from grpc_operator.engine.store import Store
from grpc_operator.resources import GRPC_SERVICES, Key
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.state import State

CallsOfRevisions = Mapping[Key, Mapping[str, RevisionCalls]]
"""By GrpcService and revision."""

_LABELS = ("namespace", "name", "revision")


class RevisionMetrics(Collector):
    """Reads statuses and call statistics at each scrape.

    Args:
        store: The cache.
        calls: Returns the calls of the services that are rolled out.
        is_leader: Whether this process rolls them out; no other replica has series.
    """

    def __init__(
        self, store: Store, calls: Callable[[], CallsOfRevisions], is_leader: Callable[[], bool]
    ) -> None:
        self._store = store
        self._calls = calls
        self._is_leader = is_leader

    def collect(self) -> Iterator[Metric]:
        """Yields the series of every service with revisions."""
        yield self._percent()
        yield from _of_calls(self._calls() if self._is_leader() else {})

    def _percent(self) -> GaugeMetricFamily:
        percent = GaugeMetricFamily(
            "grpcservice_revision_percent",
            "Percentage of the calls that a revision gets.",
            labels=(*_LABELS, "role"),
        )
        for each in self._store.all(GRPC_SERVICES) if self._is_leader() else ():
            meta = each["metadata"]
            for revision in State.read(each.get("status") or {}).serving:
                labels = [meta["namespace"], meta["name"], revision.name, revision.role]
                percent.add_metric(labels, revision.percent or 0)
        return percent


def _of_calls(calls: CallsOfRevisions) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "grpcservice_revision_attempts",
        "Attempts of calls to a revision that have ended, by result (ok, failed), as its proxies"
        " report them.",
        labels=(*_LABELS, "result"),
    )
    in_flight = GaugeMetricFamily(
        "grpcservice_revision_calls_in_flight",
        "Calls of a revision that have not ended; no series while a proxy has not reported them.",
        labels=_LABELS,
    )
    for service, revisions in calls.items():
        for name, found in revisions.items():
            labels = [service.namespace, service.name, name]
            attempts.add_metric([*labels, "ok"], found.ok)
            attempts.add_metric([*labels, "failed"], found.failed)
            if found.in_flight is not None:
                in_flight.add_metric(labels, found.in_flight)
    yield from (attempts, in_flight)
