"""Many GrpcServices at once, beside a client that writes the same; and restarts with them."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from tests.integration import policies
from tests.integration.api import NAMESPACES
from tests.integration.operator_process import OperatorProcess

from bench import bare_client, gateways, services
from bench import field as fields
from bench.bare_client import Written
from bench.errors import BenchError
from bench.field import Field
from bench.figures import Figure
from bench.polling import Poller
from bench.processes import cpu_seconds, rss_mib, upstream
from grpc_operator.resources import GRPC_SERVICES, Manifest
from grpc_service_kit.testing.postgres import free_port

RATIO, COLD_SECONDS, FAILOVER_SECONDS = 1.5, 20.0, 10.0

_SERVED_SECONDS = 300.0
_POLL = 0.1
_QUIET = 10
"""Samples in a row without work, a second together, after which an operator is done."""

_DEPTH, _LEASE = "grpc_operator_workqueue_depth", "grpc_operator_lease_held"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How many services are created at once, one group after the other."""

    groups: Sequence[int]


async def bulk(size: Size, say: Say) -> list[Figure]:
    """Creates groups of services, then starts the operator afresh and ends a leader."""
    say("a control plane and the operator start")
    async with AsyncExitStack() as stack:
        field = stack.enter_context(fields.prepared())
        port = await stack.enter_async_context(upstream(field.host))
        access, node = stack.enter_context(field.access())
        relay = await stack.enter_async_context(_Relay.open(field.xds_port))
        envoy = await stack.enter_async_context(
            gateways.connected(relay.port, field.gateway, access, node)
        )
        poller = Poller(field.port)
        stack.callback(poller.close)
        run = _Run(field, port, poller, relay, say)
        await run.create(range(1))
        await envoy.ready()
        await envoy.port(str(field.port))
        return await run.all(size.groups)


class _Relay:
    """Connects proxies to whichever replica serves, as the Service of the operator does."""

    def __init__(self) -> None:
        self.port = 0
        self.replicas: list[int] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, replica: int) -> AsyncIterator["_Relay"]:
        relay = cls()
        relay.replicas.append(replica)
        server = await asyncio.start_server(relay._relay, "127.0.0.1", 0)
        relay.port = server.sockets[0].getsockname()[1]
        try:
            yield relay
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self.replicas:
            with suppress(OSError):
                there, back = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
                return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


class _Run:
    def __init__(
        self, field: Field, upstream_port: int, poller: Poller, relay: _Relay, say: Say
    ) -> None:
        self._field = field
        self._upstream = upstream_port
        self._poller = poller
        self._relay = relay
        self._say = say
        self._present = 0

    async def create(self, numbers: Sequence[int]) -> tuple[float, float]:
        """Creates services; returns the seconds until they exist, and until all are served."""
        await asyncio.to_thread(self._field.create_endpoints, numbers, self._upstream)
        await self._done(self._field.operator)
        begin = time.perf_counter()
        await asyncio.to_thread(self._field.create_services, numbers)
        created = time.perf_counter() - begin
        self._present += len(numbers)
        await self._served(numbers)
        return created, time.perf_counter() - begin

    async def all(self, groups: Sequence[int]) -> list[Figure]:
        """Measures everything."""
        found = []
        for count in groups:
            found += await self._group(count)
        found += await self._cold_start()
        found += await self._failover()
        return found

    async def _group(self, count: int) -> list[Figure]:
        numbers = range(self._present, self._present + count)
        self._say(f"{count} services are created")
        operator = self._field.operator
        requests, cpu = _writes(operator), cpu_seconds(operator.pid)
        created, served = await self.create(numbers)
        await self._done(operator)
        requests, cpu = _writes(operator) - requests, cpu_seconds(operator.pid) - cpu
        self._say(
            f"created in {created:.1f} s, served in {served:.1f} s, {requests / count:.2f} writes"
            f" and {cpu / count * 1e3:.1f} ms of CPU each; the bare client begins"
        )
        bare, bare_requests = await self._bare(numbers)
        self._say(f"the bare client took {bare:.1f} s, {bare_requests / count:.2f} requests each")
        note = f"{served:.1f} / {bare:.1f} s; the user was done after {created:.1f} s"
        return [
            Figure(
                f"{count} services created, until the last is served / bare client",
                served / bare,
                "x",
                target=RATIO,
                note=note,
            ),
            Figure(f"  writes of the operator for each of {count}", requests / count, ""),
            Figure(f"  CPU of the operator for each of {count}", cpu / count * 1e3, "ms"),
        ]

    async def _bare(self, numbers: Sequence[int]) -> tuple[float, int]:
        """Has the bare client write the same in another namespace; returns seconds, requests."""
        api = self._field.api
        live = {each["metadata"]["name"]: each for each in self._services()}
        namespace = f"bare-{uuid.uuid4().hex[:8]}"
        api.create(NAMESPACES, None, {"metadata": {"name": namespace}})
        policies.Policies(api, namespace).publish_pods_without_a_node()
        other = replace(self._field, namespace=namespace)
        await asyncio.to_thread(other.create_endpoints, numbers, self._upstream)
        wanted = [
            Written.of(
                number,
                namespace,
                fields.source(number),
                other.manifest(number),
                live[fields.name(number)]["status"],
            )
            for number in numbers
        ]
        begin = time.perf_counter()
        requests = await bare_client.write_all(self._field.credentials, namespace, wanted)
        return time.perf_counter() - begin, requests

    def _services(self) -> list[Manifest]:
        return self._field.api.list(GRPC_SERVICES, self._field.namespace)

    async def _cold_start(self) -> list[Figure]:
        self._say(f"the operator starts afresh with {self._present} services")
        await asyncio.to_thread(self._field.operator.stop)
        begin = time.perf_counter()
        operator = self._field.start("operator-1", self._field.xds_port)
        self._field = replace(self._field, operator=operator)
        await asyncio.to_thread(operator.wait_ready)
        ready = time.perf_counter() - begin
        await asyncio.to_thread(operator.wait_lease)
        done = await self._done(operator) - begin
        return [
            *_restart("cold start", self._present, ready, COLD_SECONDS, done, operator),
            Figure("  RSS of the operator", rss_mib(operator.pid), "MiB"),
        ]

    async def _failover(self) -> list[Figure]:
        self._say(f"another replica takes over {self._present} services")
        standby_port = free_port()
        standby = self._field.start("operator-2", standby_port)
        await asyncio.to_thread(standby.wait_ready)
        self._relay.replicas.append(standby_port)
        await asyncio.sleep(_QUIET * _POLL)
        begin = time.perf_counter()
        await asyncio.to_thread(self._field.operator.stop)
        self._field = replace(self._field, operator=standby)
        await asyncio.to_thread(standby.wait_lease)
        leads = time.perf_counter() - begin
        done = await self._done(standby) - begin
        return _restart("failover", self._present, leads, FAILOVER_SECONDS, done, standby)

    async def _served(self, numbers: Iterable[int]) -> None:
        pending = list(numbers)
        deadline = time.monotonic() + _SERVED_SECONDS
        while pending:
            pending = await asyncio.to_thread(self._not_served, pending)
            self._field.check()
            await asyncio.sleep(_POLL)
            if time.monotonic() > deadline:
                raise BenchError(f"{len(pending)} services are not served")

    def _not_served(self, numbers: list[int]) -> list[int]:
        """Returns the services from the first on that is not served: they are in order, nearly."""
        for index, number in enumerate(numbers):
            if not self._poller.rest(services.target(number, fields.hostname(number))):
                return numbers[index:]
        return []

    async def _done(self, operator: OperatorProcess) -> float:
        """Waits until an operator has nothing more to do; returns since when."""
        deadline = time.monotonic() + _SERVED_SECONDS
        quiet, since = 0, time.perf_counter()
        while quiet < _QUIET:
            if await asyncio.to_thread(operator.metric, _DEPTH):
                quiet, since = 0, time.perf_counter()
            else:
                quiet += 1
            if time.monotonic() > deadline:
                raise BenchError(f"{_DEPTH} is not 0 for {_SERVED_SECONDS:g} s")
            await asyncio.sleep(_POLL)
        return since


def _restart(  # noqa: PLR0913, PLR0917 - parts of two lines
    what: str, count: int, ready: float, target: float, done: float, operator: OperatorProcess
) -> list[Figure]:
    note = f"every object reconciled after {done:.1f} s"
    return [
        Figure(f"{what} with {count} services, ready", ready, "s", target=target, note=note),
        Figure("  writes", _writes(operator), "", target=0),
    ]


def _writes(operator: OperatorProcess) -> float:
    text = operator.metrics_text()
    found = re.findall(r"^grpc_operator_writes_total\{.*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))
