"""``grpcop status``: one line a service."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grpc_operator.cli import connection, output
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.live import health, text
from grpc_operator.cli.live.watching import readings
from grpc_operator.cli.output import Column, Format, Table
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.resources import GRPC_SERVICES, Manifest

_COLUMNS = (
    Column("NAME"),
    Column("READY"),
    Column("PROGRAMMED"),
    Column("ROLLOUT"),
    Column("REPLICAS"),
    Column("HOSTS"),
    Column("AGE"),
    Column("PROBLEM"),
    Column("PROXIES", wide=True),
    Column("GATEWAY", wide=True),
    Column("IMAGE", wide=True),
)
_MOST_IN_A_CELL = 80


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        kubeconfig: Which cluster.
        namespace: Of which namespace; that of the context if ``None``.
        every_namespace: Whether of all of them.
        names: Only these services; all if empty.
        unhealthy: Whether only those that are not healthy.
        watch: Whether to go on.
        form: Of the output.
    """

    kubeconfig: Kubeconfig
    namespace: str | None
    every_namespace: bool
    names: tuple[str, ...]
    unhealthy: bool
    watch: bool
    form: Format


def run(wanted: Wanted) -> ExitCode:
    """Prints the state of services.

    Returns:
        ``FOUND`` if one of them is not healthy.
    """
    return asyncio.run(_run(wanted))


async def _run(wanted: Wanted) -> ExitCode:
    async with connection.cluster(wanted.kubeconfig, wanted.namespace) as cluster:
        shown = _Shown(wanted)
        code = ExitCode.OK
        async for services in readings(lambda: _read(cluster, wanted), watch=wanted.watch):
            healthy = all(health.is_healthy(each) for each in services)
            code = ExitCode.OK if healthy else ExitCode.FOUND
            shown.show([e for e in services if not wanted.unhealthy or not health.is_healthy(e)])
        return code


async def _read(cluster: Cluster, wanted: Wanted) -> list[Manifest]:
    if wanted.names and wanted.every_namespace:
        raise CliError("a name is that of one namespace", fix="Use --namespace instead of -A.")
    namespace = None if wanted.every_namespace else cluster.namespace
    if not wanted.names:
        return await cluster.list(GRPC_SERVICES, namespace)
    return [await cluster.need(GRPC_SERVICES, cluster.namespace, name) for name in wanted.names]


class _Shown:
    """Prints what has changed since it was printed last."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._before: dict[tuple[str, str], object] = {}
        self._is_first = True

    def show(self, services: Sequence[Manifest]) -> None:
        now = datetime.now(UTC)
        changed = []
        for each in services:
            name, data = health.name_of(each), summary(each)
            if self._before.get(name) != data:
                changed.append(each)
            self._before[name] = data
        if self._is_first or changed:
            self._print(changed, now)
        self._is_first = False

    def _print(self, services: Sequence[Manifest], now: datetime) -> None:
        wanted = self._wanted
        rows = table(services, now, namespaces=wanted.every_namespace)
        names = [f"grpcservice.grpc.infera.dev/{health.name_of(each)[1]}" for each in services]
        output.write(wanted.form, rows, [summary(each) for each in services], names)
        if wanted.form in {Format.TABLE, Format.WIDE}:
            for each in problem_lines(services):
                output.write_text(each)


def table(services: Sequence[Manifest], now: datetime, *, namespaces: bool) -> Table:
    """Returns one row a service.

    Args:
        services: GrpcServices.
        now: The time.
        namespaces: Whether the rows have the namespace.
    """
    first = Column("NAMESPACE", wide=not namespaces)
    return Table(
        (first, *_COLUMNS),
        [_row(each, now) for each in services],
        empty="No GrpcService was found. Of all namespaces: --all-namespaces",
    )


def summary(service: Manifest) -> dict[str, Any]:
    """Returns what is printed of a service, for JSON and YAML."""
    namespace, name = health.name_of(service)
    status = health.status_of(service)
    return {
        "namespace": namespace,
        "name": name,
        "healthy": health.is_healthy(service),
        "ready": _state(service, "Ready"),
        "programmed": _state(service, "Programmed"),
        "rollout": (status.get("rollout") or {}).get("summary"),
        "replicas": status.get("replicas"),
        "readyReplicas": status.get("readyReplicas"),
        "hosts": status.get("hosts") or [],
        "gateway": status.get("gateway"),
        "created": service["metadata"].get("creationTimestamp"),
        "problems": [each.data() for each in health.problems(service)],
    }


def problem_lines(services: Sequence[Manifest]) -> list[str]:
    """Returns, for each service with a problem, the first one and what to do about it."""
    lines: list[str] = []
    for each in services:
        found = health.problems(each)
        if found:
            namespace, name = health.name_of(each)
            lines += ["", f"{namespace}/{name}: {found[0].reason}"]
            lines += text.wrapped(found[0].message, "  ")
            lines += text.wrapped(found[0].fix, "  ")
    return lines


def _row(service: Manifest, now: datetime) -> list[str]:
    namespace, name = health.name_of(service)
    status, spec = health.status_of(service), service.get("spec") or {}
    found = health.problems(service)
    proxies = status.get("proxies") or {}
    return [
        namespace,
        name,
        _state(service, "Ready"),
        _state(service, "Programmed"),
        _cell((status.get("rollout") or {}).get("summary")),
        _cell(status.get("readySummary")),
        _cell(status.get("hostsSummary")),
        text.age(service["metadata"].get("creationTimestamp"), now),
        _cell(found[0].reason if found else None),
        f"{proxies.get('serving', 0)}/{proxies['ready']}" if "ready" in proxies else "-",
        _cell(status.get("gateway")),
        _cell(spec.get("image")),
    ]


def _state(service: Manifest, type_: str) -> str:
    return text.line(health.condition(service, type_).get("status"), 16) or "-"


def _cell(value: object) -> str:
    return text.line(value, _MOST_IN_A_CELL) or "-"
