"""What Envoy's ``/stats`` says of calls by method, as counters by cluster and method.

``desired.gateway.call_series`` has the names of its series. Calls that have not ended are counted
by cluster alone: ``cluster.CLUSTER.upstream_rq_active``.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple, TypeVar

from grpc_operator.desired.gateway import call_series

Key = TypeVar("Key", bound=Hashable)

_METHOD = rf"([^.]+)\.{call_series.METHOD}\.([^/]+/[^./]+)"
_CALLS = re.compile(
    re.escape(call_series.start(call_series.CALLS))
    + rf"{_METHOD}\.{call_series.STATUS}\.([0-9]{{1,2}})"
)
_TIMES = re.compile(re.escape(call_series.start(call_series.TIMES)) + _METHOD)
_OPEN = re.compile(r"cluster\.([^.]+)\.upstream_rq_active")


class Series(NamedTuple):
    """A counter of one proxy.

    Attributes:
        cluster: Name of the Envoy cluster.
        method: See ``rollout.calls.method_name``.
        code: gRPC status of the calls; ``None`` when they are counted by their time.
        milliseconds: Most that the calls took; 0 when they are counted by their status.
    """

    cluster: str
    method: str
    code: int | None
    milliseconds: float = 0.0


def of_codes(answer: bytes) -> dict[Series, int]:
    """Returns the calls by their gRPC status.

    Args:
        answer: What a proxy says of counters (``type=Counters``).

    Raises:
        ValueError: It is not what Envoy writes.
    """
    return _read(answer, _codes)


def of_times(answer: bytes) -> dict[Series, int]:
    """Returns the calls by their time.

    Args:
        answer: What a proxy says of histograms (``type=Histograms&histogram_buckets=detailed``).

    Raises:
        ValueError: It is not what Envoy writes.
    """
    return _read(answer, _times)


def of_open(answer: bytes) -> dict[str, int]:
    """Returns the calls that have not ended, by cluster.

    Args:
        answer: What a proxy says of gauges (``type=Gauges``).

    Raises:
        ValueError: It is not what Envoy writes.
    """
    return _read(answer, _open)


def _read(answer: bytes, parse: Callable[[Any], Iterator[tuple[Key, int]]]) -> dict[Key, int]:
    try:
        stats = json.loads(answer)["stats"]
        return {series: count for entry in stats for series, count in parse(entry)}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not the statistics of Envoy: {error!r}") from None


def _codes(entry: Any) -> Iterator[tuple[Series, int]]:
    cluster, method, code = _name(_CALLS, entry)
    yield Series(cluster, method, int(code)), _count(entry["value"])


def _times(entry: Any) -> Iterator[tuple[Series, int]]:
    for histogram in entry["histograms"].get("details") or ():
        cluster, method = _name(_TIMES, histogram)
        for bucket in histogram.get("totals") or ():
            bound = round(float(bucket["lower_bound"]) + float(bucket["width"]), 3)
            yield Series(cluster, method, None, bound), _count(bucket["count"])


def _open(entry: Any) -> Iterator[tuple[str, int]]:
    (cluster,) = _name(_OPEN, entry)
    yield cluster, _count(entry["value"])


def _name(expected: re.Pattern[str], entry: Any) -> tuple[str, ...]:
    """Returns what the name of a series has in it."""
    name = str(entry["name"])
    found = expected.fullmatch(name)
    if found is None:
        raise ValueError(f"not a series of calls: {name[:200]!r}")
    return found.groups()


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"not a count: {value!r}"[:200])
    return value
