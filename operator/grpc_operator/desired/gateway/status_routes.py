"""The paths of a proxy's status port with the calls of one GrpcService, by method or revision.

Envoy's admin interface compares a regular expression with the name of every series that has a
value. It is chosen here, and only the names in it by who asks.
"""

from dataclasses import dataclass
from urllib.parse import quote

from grpc_operator.resources import Key

_LABEL = "([a-z0-9-]{1,63})"
_REVISION = "(@[0-9a-f]{8})?"


@dataclass(frozen=True)
class StatusRoute:
    """A path that is rewritten to one of Envoy's admin interface.

    Attributes:
        prefix: Of the path; namespace and name of a GrpcService follow.
        query: Parameters of ``/stats``.
        series: Regular expression of the end of the series' names.
    """

    prefix: str
    query: str
    series: str

    @property
    def pattern(self) -> str:
        """What the whole path must match; it has no query."""
        return f"{self.prefix}{_LABEL}/{_LABEL}"

    @property
    def rewritten(self) -> str:
        """What becomes of it, as Envoy's ``regex_rewrite.substitution``."""
        series = rf"{quote(_REVISION)}{quote(self.series)}"
        return rf"/stats?{self.query}&filter={quote('^cluster')}%5C.\1/\2{series}"

    def path(self, service: Key) -> str:
        """Returns the path for a GrpcService."""
        return f"{self.prefix}{service.namespaced_name}"


CALLS = StatusRoute(
    "/stats/calls/",
    "format=json&usedonly&type=Counters",
    r"\.grpc\.[^.]+\.[^.]+\.[0-9]+$",
)
"""How many calls of each method ended with each gRPC status."""

TIMES = StatusRoute(
    "/stats/times/",
    "format=json&usedonly&type=Histograms&histogram_buckets=detailed",
    r"\.grpc\.[^.]+\.[^.]+\.upstream_rq_time$",
)
"""How long they took; Envoy adds new ones every 5 s (``stats_flush_interval``)."""

OPEN = StatusRoute(
    "/stats/open/",
    "format=json&usedonly&type=Gauges",
    r"\.upstream_rq_active$",
)
"""How many calls of each revision have not ended, open streams included."""

ALL = (CALLS, TIMES, OPEN)
