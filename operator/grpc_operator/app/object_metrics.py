"""Metrics of each GrpcService and GrpcGateway: what an alert needs to say which one is not ready.

They have the names of tenants' objects, so they exist only where the administrator has limited who
may scrape (``Settings.object_metrics``; docs/adr/0034).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from grpc_operator.engine.store import Store
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Resource

_VALUES = {"True": 1.0, "False": 0.0}
_UNKNOWN = -1.0
_REPLICAS = {"replicas": "wanted", "readyReplicas": "ready"}
_LABELS = ("namespace", "name")


class ObjectMetrics(Collector):
    """Reads the statuses in the cache at each scrape.

    Args:
        store: The cache.
        is_leader: Whether this process writes them; no other replica has series, so that sums are
            right.
    """

    def __init__(self, store: Store, is_leader: Callable[[], bool]) -> None:
        self._store = store
        self._is_leader = is_leader

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yields the gauges of both kinds."""
        for kind in (GRPC_SERVICES, GRPC_GATEWAYS):
            objects = self._store.all(kind) if self._is_leader() else []
            yield from _of_kind(kind, objects)


def _of_kind(kind: Resource, objects: list[dict[str, Any]]) -> Iterator[GaugeMetricFamily]:
    name = kind.kind.lower()
    ready = GaugeMetricFamily(
        f"{name}_ready", f"Whether the {kind.kind} is ready (condition Ready).", labels=_LABELS
    )
    conditions = GaugeMetricFamily(
        f"{name}_condition",
        f"Conditions of the {kind.kind}: 1 for True, 0 for False, -1 for Unknown.",
        labels=(*_LABELS, "type", "reason"),
    )
    replicas = GaugeMetricFamily(
        f"{name}_replicas",
        f"Pods of the {kind.kind}, by state: wanted, ready.",
        labels=(*_LABELS, "state"),
    )
    behind = GaugeMetricFamily(
        f"{name}_generations_behind",
        f"Generations of the {kind.kind} that its status does not know yet.",
        labels=_LABELS,
    )
    for each in objects:
        meta, status = each["metadata"], each.get("status") or {}
        where = [meta["namespace"], meta["name"]]
        found: Mapping[str, Mapping[str, Any]] = {
            one["type"]: one for one in status.get("conditions") or ()
        }
        ready.add_metric(where, float(found.get("Ready", {}).get("status") == "True"))
        for type_, one in found.items():
            value = _VALUES.get(one["status"], _UNKNOWN)
            conditions.add_metric([*where, type_, one.get("reason", "")], value)
        for field, state in _REPLICAS.items():
            if status.get(field) is not None:
                replicas.add_metric([*where, state], status[field])
        seen = max(0, status.get("observedGeneration") or 0)
        behind.add_metric(where, max(0, meta.get("generation", seen) - seen))
    yield from (ready, conditions, replicas, behind)
