"""Sums of load reports, without a clock: each report has only what came since the last one."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grpc_operator.gateway import ir
from grpc_operator.resources import Key

KEPT_SECONDS = 60.0
"""Seconds after its last report for which a cluster of a proxy is remembered."""


@dataclass
class Load:
    """Calls of one proxy to one cluster, since it was first reported.

    A retried call is several attempts. Failed are those that Envoy counts as
    ``total_error_requests``: of gRPC calls, the statuses that it maps to 5xx, which are UNKNOWN,
    DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS, and attempts without a
    status: reset, timed out, retried. An attempt that the client has cancelled is neither ok nor
    failed (``Filter::handleNon5xxResponseHeaders``, ``onUpstreamTrailers`` and
    ``chargeUpstreamAbort`` in source/common/router/router.cc; ``Utility::grpcToHttpStatus``).

    Attributes:
        ok: Attempts that ended with another status.
        failed: Attempts that failed.
        issued: Attempts that were begun.
        in_progress: Of them, how many had not ended at the time of the last report.
        at: That time, in seconds.
    """

    ok: int = 0
    failed: int = 0
    issued: int = 0
    in_progress: int = 0
    at: float = 0.0


class Reported(NamedTuple):
    """A ``Load`` as it is passed on.

    Attributes:
        age: Seconds since the last report.
    """

    ok: int
    failed: int
    issued: int
    in_progress: int
    age: float


Loads = Mapping[str, Mapping[str, Reported]]
"""By proxy (``node.id``) and cluster."""


@dataclass
class LoadTotals:
    """The loads of every proxy: by gateway and service (NAMESPACE/NAME), by node, by cluster."""

    _loads: dict[tuple[Key, str], dict[str, dict[str, Load]]] = field(default_factory=dict)
    _forgets_at: float = 0.0

    def add(
        self, gateway: Key, node: str, stats: Iterable[Any], asked: Collection[str], now: float
    ) -> None:
        """Adds a report.

        Args:
            gateway: The GrpcGateway of the proxy.
            node: The proxy.
            stats: ``LoadStatsRequest.cluster_stats``.
            asked: The clusters that count; all others are ignored.
            now: The time in seconds.
        """
        self._forget(now)
        for each in stats:
            name = each.cluster_name
            if name not in asked:
                continue
            nodes = self._loads.setdefault((gateway, ir.service_of(name)), {})
            load = nodes.setdefault(node, {}).setdefault(name, Load())
            load.in_progress, load.at = 0, now
            for locality in each.upstream_locality_stats:
                load.ok += locality.total_successful_requests
                load.failed += locality.total_error_requests
                load.issued += locality.total_issued_requests
                load.in_progress += locality.total_requests_in_progress

    def of(self, gateway: Key, service: Key, now: float) -> Loads:
        """Returns the loads of the clusters of one GrpcService.

        Args:
            gateway: The GrpcGateway.
            service: The GrpcService.
            now: The time in seconds.
        """
        return {
            node: {
                name: Reported(each.ok, each.failed, each.issued, each.in_progress, now - each.at)
                for name, each in loads.items()
            }
            for node, loads in self._loads.get((gateway, service.namespaced_name), {}).items()
        }

    def _forget(self, now: float) -> None:
        """Forgets what was not reported for long, once in a while."""
        if now < self._forgets_at:
            return
        self._forgets_at = now + KEPT_SECONDS
        for of, nodes in list(self._loads.items()):
            for node, loads in list(nodes.items()):
                for name in [n for n, each in loads.items() if each.at < now - KEPT_SECONDS]:
                    del loads[name]
                if not loads:
                    del nodes[node]
            if not nodes:
                del self._loads[of]
