"""``grpcop logs``: the calls of a service as the proxies log them, or what its servers say."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from grpc_operator import labels, names, quotes
from grpc_operator.api.types import seconds
from grpc_operator.cli import connection, output
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.live import access_log, related
from grpc_operator.cli.live.access_log import Filter
from grpc_operator.cli.live.log_streams import Line, Logs, Pod, Query
from grpc_operator.cli.live.target import Target
from grpc_operator.cli.output import note
from grpc_operator.resources import GRPC_SERVICES, PODS, Manifest


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        server: Whether the logs of the pods of the service, instead of the access log.
        container: Which container, of these.
        previous: Whether the one before its last restart.
        filter: Which calls; what selects the service itself is added.
        since: How old lines may be, such as ``10m``.
        tail: How many at most.
        follow: Whether to go on.
        json: Whether all fields of a line are printed, as JSON.
    """

    server: bool
    container: str
    previous: bool
    filter: Filter
    since: str
    tail: int
    follow: bool
    json: bool


def run(target: Target, wanted: Wanted) -> ExitCode:
    """Prints logs until their end, or until the user ends it."""
    return asyncio.run(_run(target, wanted))


async def _run(target: Target, wanted: Wanted) -> ExitCode:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        service = await cluster.need(GRPC_SERVICES, cluster.namespace, target.name)
        chosen = _chosen(service, wanted)
        query = Query(_since(wanted.since), wanted.tail, wanted.previous, chosen)
        logs = Logs(cluster.connection, query)
        pods = await _pods(cluster, service, wanted)
        if not pods:
            raise _without_pods(service, wanted)
        for line in await logs.history(pods):
            _print(line, wanted)
        if logs.left_out:
            note(f"{logs.left_out} earlier lines are left out; see --tail")
        if wanted.follow:
            async for line in _followed(logs, cluster, service, wanted):
                _print(line, wanted)
    return ExitCode.OK


async def _followed(
    logs: Logs, cluster: Cluster, service: Manifest, wanted: Wanted
) -> AsyncIterator[Line]:
    async def pods() -> Sequence[Pod]:
        return await _pods(cluster, service, wanted)

    async for line in logs.follow(pods):
        yield line


def _chosen(service: Manifest, wanted: Wanted) -> "_Choice":
    own = access_log.of_service(service)
    own = replace(wanted.filter, service=own.service, hosts=own.hosts, services=own.services)
    return _Choice(None if wanted.server else own)


@dataclass(frozen=True)
class _Choice:
    """Says which lines are wanted; all without a filter."""

    filter: Filter | None

    def __call__(self, line: Line) -> bool:
        if self.filter is None:
            return True
        entry = access_log.parsed(line.text)
        return entry is not None and self.filter.has(entry)


async def _pods(cluster: Cluster, service: Manifest, wanted: Wanted) -> list[Pod]:
    if wanted.server:
        name, namespace = service["metadata"]["name"], cluster.namespace
        selector = labels.selector_text(name)
        found, container = await cluster.list(PODS, namespace, labels=selector), wanted.container
    else:
        found, container = await related.proxies_of(cluster, service), names.ENVOY
    return [
        Pod(str(each["metadata"]["namespace"]), str(each["metadata"]["name"]), container)
        for each in found
    ]


def _without_pods(service: Manifest, wanted: Wanted) -> CliError:
    name = service["metadata"]["name"]
    if wanted.server:
        return CliError(f"the GrpcService {name} has no pods", fix="See why: grpcop describe")
    namespace, gateway = related.gateway_of(service)
    if not gateway:
        return CliError(
            f"the GrpcService {name} is attached to no gateway, which would log its calls",
            fix="Set spec.gateway, or read what the servers log: --server",
        )
    return CliError(
        f"the GrpcGateway {namespace}/{gateway} has no pods",
        fix="Check it: kubectl get grpcgateways --all-namespaces",
    )


def _since(text: str) -> timedelta:
    try:
        return timedelta(seconds=seconds(text))
    except ValueError as error:
        raise CliError(
            f"{text!r} is not a duration", where="--since", fix="Such as 30s, 10m or 2h."
        ) from error


def _print(line: Line, wanted: Wanted) -> None:
    if wanted.server:
        if wanted.json:
            data = {"time": line.at.isoformat(), "pod": line.pod, "line": line.text}
            output.write_text(json.dumps(data, ensure_ascii=True))
            return
        output.write_text(f"{line.pod}  {quotes.printable(line.text)}")
        return
    entry = access_log.parsed(line.text)
    if entry is None:
        return
    if wanted.json:
        output.write_text(json.dumps(entry, ensure_ascii=True))
        return
    output.write_text(access_log.rendered(entry))
