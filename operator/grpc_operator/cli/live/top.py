"""``grpcop top``: how calls end right now, from the counters of the proxies."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from grpc_operator import names
from grpc_operator.cli import connection, output
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.live import health, related, traffic
from grpc_operator.cli.live.traffic import By, Traffic
from grpc_operator.cli.local_port import Forward
from grpc_operator.cli.output import Format, note
from grpc_operator.cli.portforward import forwarded
from grpc_operator.desired.gateway import status_routes
from grpc_operator.desired.gateway.status_routes import StatusRoute
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.probe import proxy_stats
from grpc_operator.probe.proxy_stats import ProxyStatsError
from grpc_operator.reconcile.call_sums import CallSums, Reading
from grpc_operator.resources import GRPC_SERVICES, Key, Manifest, service_key
from grpc_operator.rollout import proxy_counters
from grpc_operator.rollout.proxy_counters import Series
from grpc_operator.status import pod_problems

_TIMEOUT = 10.0
"""Seconds for one answer of a proxy, through the API server."""

_AT_ONCE = 8
"""Answers that are waited for at a time."""

_PARSE = {
    status_routes.CALLS: proxy_counters.of_codes,
    status_routes.TIMES: proxy_counters.of_times,
}


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        kubeconfig: Which cluster.
        namespace: Of which namespace; that of the context if ``None``.
        name: Of which service; of all if ``None``.
        by: What the rows are about.
        seconds: Length of the time between two readings.
        watch: Whether to go on.
        form: Of the output.
    """

    kubeconfig: Kubeconfig
    namespace: str | None
    name: str | None
    by: By
    seconds: float
    watch: bool
    form: Format


@dataclass
class _Counted:
    """What the proxies of a gateway have counted of one service.

    Attributes:
        service: The GrpcService.
        key: Its key.
        sums: Its calls since the last reading but one.
        at: When it was read last.
        open: Calls that have not ended, by cluster; ``None`` if a proxy does not say.
    """

    service: Manifest
    key: Key
    sums: CallSums = field(default_factory=CallSums)
    at: float = 0.0
    open: Mapping[str, int] | None = None


def run(wanted: Wanted) -> ExitCode:
    """Prints how calls end, from two readings of each proxy.

    Raises:
        CliError: No proxy can be read.
    """
    return asyncio.run(_run(wanted))


async def _run(wanted: Wanted) -> ExitCode:
    async with (
        connection.cluster(wanted.kubeconfig, wanted.namespace) as cluster,
        AsyncExitStack() as stack,
    ):
        services = await _services(cluster, wanted.name)
        gateways = {related.gateway_of(each): each for each in services}
        proxies = _Proxies(cluster, stack)
        for each in gateways.values():
            await proxies.open(each)
        counted = [_Counted(each, service_key(*health.name_of(each))) for each in services]
        await proxies.read(counted)
        note(f"counting for {wanted.seconds:g} s ...")
        while True:
            found = await _measured(proxies, counted, wanted.seconds)
            _print(found, wanted)
            if not wanted.watch:
                return ExitCode.OK
            for each in gateways.values():  # proxies come and go
                await proxies.open(each)


async def _measured(
    proxies: "_Proxies", counted: Sequence[_Counted], seconds: float
) -> list[Traffic]:
    before = [(each.sums.by_cluster, each.at) for each in counted]
    await asyncio.sleep(seconds)
    await proxies.read(counted)
    return [
        Traffic(
            each.service,
            {
                cluster: calls.since(old[cluster]) if cluster in old else calls
                for cluster, calls in each.sums.by_cluster.items()
            },
            each.open,
            each.at - since,
        )
        for each, (old, since) in zip(counted, before, strict=True)
    ]


async def _services(cluster: Cluster, name: str | None) -> list[Manifest]:
    if name is not None:
        found = [await cluster.need(GRPC_SERVICES, cluster.namespace, name)]
    else:
        found = await cluster.list(GRPC_SERVICES, cluster.namespace)
    attached = [each for each in found if related.gateway_of(each)[1]]
    if not attached:
        who = f"the GrpcService {name} is not" if name else "no GrpcService is"
        raise CliError(
            f"{who} attached to a gateway, and only its proxies count calls",
            fix="Set spec.gateway.",
        )
    return attached


class _Proxies:
    """The status ports of the proxies of gateways, forwarded to this machine."""

    def __init__(self, cluster: Cluster, stack: AsyncExitStack) -> None:
        self._cluster = cluster
        self._stack = stack
        self._forwards: dict[tuple[str, str], dict[str, Forward]] = {}
        self._said: set[str] = set()

    async def open(self, service: Manifest) -> None:
        """Forwards the status port of each proxy of a service's gateway that is ready now."""
        gateway = related.gateway_of(service)
        pods = pod_problems.answering(await related.proxies_of(self._cluster, service))
        if not pods:
            note(f"no proxy of the GrpcGateway {'/'.join(gateway)} is ready")
        before = self._forwards.get(gateway, {})
        now: dict[str, Forward] = {}
        for pod in pods:
            at = (str(pod["metadata"]["namespace"]), str(pod["metadata"]["name"]))
            found = before.get(at[1])
            if found is None:
                opened = forwarded(self._cluster.connection, at, names.GATEWAY_STATUS_PORT)
                found = await self._stack.enter_async_context(opened)
            now[at[1]] = found
        self._forwards[gateway] = now

    async def read(self, counted: Sequence[_Counted]) -> None:
        """Reads what each proxy has counted.

        Raises:
            CliError: None of them answers.
        """
        slots = asyncio.Semaphore(_AT_ONCE)
        answers = await asyncio.gather(*(self._one(slots, each) for each in counted))
        if not any(answers):
            raise CliError(
                "no proxy answers, so nothing is known of any call",
                fix="It needs the right to forward ports (create pods/portforward) in the namespace"
                " of the gateway.",
            )

    async def _one(self, slots: asyncio.Semaphore, each: _Counted) -> bool:
        forwards = self._forwards[related.gateway_of(each.service)]
        asked = [(pod, route) for pod in forwards for route in status_routes.ALL]
        found = await asyncio.gather(
            *(self._answer(slots, pod, forwards[pod], route, each.key) for pod, route in asked)
        )
        each.at = time.monotonic()
        counters: dict[tuple[str, StatusRoute], Mapping[Series, int]] = {}
        open_: dict[str, int] = {}
        complete = True
        for (pod, route), answer in zip(asked, found, strict=True):
            if answer is None:
                complete = complete and route is not status_routes.OPEN
            elif route is status_routes.OPEN:
                for cluster, number in proxy_counters.of_open(answer).items():
                    open_[cluster] = open_.get(cluster, 0) + number
            else:
                counters[pod, route] = _PARSE[route](answer)
        each.sums.add(Reading({}, frozenset(), counters))
        each.open = open_ if complete else None
        return bool(counters)

    async def _answer(
        self, slots: asyncio.Semaphore, pod: str, forward: Forward, route: StatusRoute, key: Key
    ) -> bytes | None:
        try:
            async with slots:
                return await proxy_stats.read(forward.target, route, key, _TIMEOUT)
        except ProxyStatsError as error:
            why = forward.problems[-1] if forward.problems else str(error)
            if pod not in self._said:
                self._said.add(pod)
                note(f"{pod}: {why}\n  What it has counted is missing.")
            return None


def _print(found: Sequence[Traffic], wanted: Wanted) -> None:
    made = traffic.rows(found, wanted.by)
    table = traffic.table(made, wanted.by, several=wanted.name is None)
    if wanted.watch and wanted.form in {Format.TABLE, Format.WIDE} and sys.stdout.isatty():
        output.console().clear()
    names_ = [f"grpcservice.grpc.infera.dev/{each['name']}" for each in made]
    output.write(wanted.form, table, made, names_)
    if wanted.form in {Format.TABLE, Format.WIDE} and made:
        if all(each["p95Milliseconds"] is None for each in made):
            note(
                "Latency is not known: proxies record it only while a service has several"
                " revisions, and add it up every 5 s."
            )
        if wanted.by is By.METHOD:
            note("Open calls are counted by revision, not by method: --by revision")
