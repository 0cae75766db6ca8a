"""How calls ended between two readings of the proxies, as the rows of ``grpcop top``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grpc_operator.cli.live import health, text
from grpc_operator.cli.output import Column, Table
from grpc_operator.gateway.ir import cluster_of
from grpc_operator.resources import Key, Manifest, service_key
from grpc_operator.rollout import codes
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls

_OK = 0


class By(StrEnum):
    """What a row is about."""

    SERVICE = "service"
    METHOD = "method"
    REVISION = "revision"


@dataclass(frozen=True)
class Traffic:
    """The calls of one service over a time.

    Attributes:
        service: The GrpcService.
        calls: By Envoy cluster.
        open: Calls that had not ended at the end, by Envoy cluster; ``None`` if not known.
        seconds: How long.
    """

    service: Manifest
    calls: Mapping[str, RevisionCalls]
    open: Mapping[str, int] | None
    seconds: float


@dataclass
class _Sum:
    calls: MethodCalls = field(default_factory=MethodCalls)
    open: int | None = None


def rows(found: Iterable[Traffic], by: By) -> list[dict[str, Any]]:
    """Returns one row for each service, method or revision that had calls, for JSON."""
    made = []
    for traffic in found:
        sums = _sums(traffic, by)
        for (method, revision), each in sorted(sums.items()):
            made.append(_row(traffic, method, revision, each))
    return made


def table(made: Iterable[Mapping[str, Any]], by: By, *, several: bool) -> Table:
    """Returns rows as a table.

    Args:
        made: See ``rows``.
        by: What they are about.
        several: Whether they are of several services.
    """
    first = [Column("NAME", wide=not several)]
    if by is By.METHOD:
        first += [Column("METHOD"), Column("REVISION")]
    elif by is By.REVISION:
        first += [Column("REVISION")]
    rest = ("CALLS/S", "ERRORS", "P50", "P95", "OPEN", "BY STATUS")
    cells = []
    for each in made:
        named = [f"{each['namespace']}/{each['name']}"]
        if by is By.METHOD:
            named += [str(each["method"]), str(each["revision"] or "-")]
        elif by is By.REVISION:
            named += [str(each["revision"] or each["name"])]
        cells.append([*named, *_figures(each)])
    return Table([*first, *map(Column, rest)], cells, empty="No calls in this time.")


def _figures(row: Mapping[str, Any]) -> list[str]:
    calls, statuses = row["calls"], row["statuses"]
    failed = calls - statuses.get("OK", 0)
    return [
        f"{row['callsPerSecond']:.1f}",
        f"{100 * failed / calls:.1f}%" if calls else "-",
        _milliseconds(row["p50Milliseconds"]),
        _milliseconds(row["p95Milliseconds"]),
        "-" if row["open"] is None else str(row["open"]),
        ", ".join(f"{name} {count}" for name, count in statuses.items()) or "-",
    ]


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:g}ms"


def _sums(traffic: Traffic, by: By) -> dict[tuple[str, str], _Sum]:
    """Returns the calls by method and revision, each empty if rows are not about it."""
    key = service_key(*health.name_of(traffic.service))
    revisions = _revisions(traffic.service, key)
    sums: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for cluster, calls in traffic.calls.items():
        revision = revisions.get(cluster, cluster.partition("@")[2])
        for name, each in calls.methods.items():
            method = text.line(name, 500)
            place = {
                By.SERVICE: ("", ""),
                By.METHOD: (method, revision),
                By.REVISION: ("", revision),
            }[by]
            sums[place].calls += each
    if by is not By.METHOD and traffic.open is not None:
        for cluster, number in traffic.open.items():
            revision = revisions.get(cluster, cluster.partition("@")[2])
            place = ("", revision if by is By.REVISION else "")
            sums[place].open = (sums[place].open or 0) + number
    return {
        place: each
        for place, each in sums.items()
        if each.calls.total or each.open or by is By.SERVICE
    }


def _row(traffic: Traffic, method: str, revision: str, found: _Sum) -> dict[str, Any]:
    namespace, name = health.name_of(traffic.service)
    by_code = sorted(found.calls.by_code.items(), key=lambda each: (each[0] != _OK, -each[1]))
    return {
        "namespace": namespace,
        "name": name,
        "method": method or None,
        "revision": revision or None,
        "calls": found.calls.total,
        "callsPerSecond": round(found.calls.total / max(traffic.seconds, 0.001), 3),
        "statuses": {codes.NAMES.get(code, str(code)): count for code, count in by_code},
        "p50Milliseconds": found.calls.milliseconds(50),
        "p95Milliseconds": found.calls.milliseconds(95),
        "open": found.open,
    }


def _revisions(service: Manifest, key: Key) -> dict[str, str]:
    """Returns the names of revisions by Envoy cluster; that without revisions has none."""
    found = health.status_of(service).get("revisions") or ()
    named = [str(each.get("name")) for each in found]
    return {cluster_of(key, each): each for each in named}
