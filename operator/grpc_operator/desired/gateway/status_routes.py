"""The paths of a proxy's status port with the calls of one GrpcService, by method or revision.

Envoy's admin interface compares a regular expression with the name of every series that has a
value. It is chosen here, and only the names in it by who asks.
"""

from dataclasses import dataclass
from urllib.parse import quote

from grpc_operator.desired.gateway import call_series
from grpc_operator.desired.gateway.call_series import METHOD, STATUS
from grpc_operator.resources import Key

_LABEL = "([a-z0-9-]{1,63})"
_REVISION = "(@[0-9a-f]{8})?"
_METHOD = rf"\.{METHOD}\.[^/]+/[^.]+"


@dataclass(frozen=True)
class StatusRoute:
    """A path that is rewritten to one of Envoy's admin interface.

    Attributes:
        prefix: Of the path; namespace and name of a GrpcService follow.
        query: Parameters of ``/stats``.
        start: Beginning of the series' names, before the name of the cluster.
        end: Regular expression of what follows the name of the cluster.
    """

    prefix: str
    query: str
    start: str
    end: str

    @property
    def pattern(self) -> str:
        """What the whole path must match; it has no query."""
        return f"{self.prefix}{_LABEL}/{_LABEL}"

    @property
    def rewritten(self) -> str:
        """What becomes of it, as Envoy's ``regex_rewrite.substitution``."""
        start = quote(f"^{self.start}".replace(".", r"\."))
        end = quote(f"{_REVISION}{self.end}$")
        return rf"/stats?{self.query}&filter={start}\1/\2{end}"

    def path(self, service: Key) -> str:
        """Returns the path for a GrpcService."""
        return f"{self.prefix}{service.namespaced_name}"


CALLS = StatusRoute(
    "/stats/calls/",
    "format=json&type=Counters",
    call_series.start(call_series.CALLS),
    rf"{_METHOD}\.{STATUS}\.[0-9]+",
)
"""How many calls of each method ended with each gRPC status. Here and for times, not ``usedonly``,
which leaves out what had no call since Envoy last marked the series that it may forget
(``stats_eviction_interval``)."""

TIMES = StatusRoute(
    "/stats/times/",
    "format=json&type=Histograms&histogram_buckets=detailed",
    call_series.start(call_series.TIMES),
    _METHOD,
)
"""How long they took; Envoy adds new ones every 5 s (``stats_flush_interval``)."""

OPEN = StatusRoute(
    "/stats/open/",
    "format=json&usedonly&type=Gauges",
    "cluster.",
    r"\.upstream_rq_active",
)
"""How many calls of each revision have not ended, open streams included."""

ALL = (CALLS, TIMES, OPEN)
