"""What Envoy's ``/stats`` says of calls by method, as counters by cluster and method.

The names of its series are ``cluster.CLUSTER.grpc.SERVICE.METHOD.`` and a gRPC status, or
``upstream_rq_time``, with underscores for the dots of the gRPC service. Calls that have not ended
are counted by cluster alone: ``cluster.CLUSTER.upstream_rq_active``.
"""

import json
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

_PARTS = 6
_OPEN = ("cluster", "upstream_rq_active")


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
    cluster, method, code = _name(entry)
    if code.isascii() and code.isdigit():
        yield Series(cluster, method, int(code)), _count(entry["value"])


def _times(entry: Any) -> Iterator[tuple[Series, int]]:
    for histogram in entry["histograms"].get("details") or ():
        cluster, method, _ = _name(histogram)
        for bucket in histogram.get("totals") or ():
            bound = round(float(bucket["lower_bound"]) + float(bucket["width"]), 3)
            yield Series(cluster, method, None, bound), _count(bucket["count"])


def _open(entry: Any) -> Iterator[tuple[str, int]]:
    parts = str(entry["name"]).split(".")
    if len(parts) != len(_OPEN) + 1 or (parts[0], parts[2]) != _OPEN:
        raise ValueError(f"not the open calls of a cluster: {entry['name'][:200]!r}")
    yield parts[1], _count(entry["value"])


def _name(entry: Any) -> tuple[str, str, str]:
    """Returns cluster, method, and the last part of a name."""
    parts = str(entry["name"]).split(".")
    if len(parts) != _PARTS or (parts[0], parts[2]) != ("cluster", "grpc"):
        raise ValueError(f"not a series of a method: {entry['name'][:200]!r}")
    return parts[1], f"{parts[3]}/{parts[4]}", parts[5]


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"not a count: {value!r}"[:200])
    return value
