"""Load reports over gRPC: of known proxies, and of attackers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from envoy.service.load_stats.v3 import lrs_pb2, lrs_pb2_grpc

from grpc_operator import limits
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import gateway_key
from grpc_operator.xds import load_stream, stream, waiting
from grpc_operator.xds.load_stream import Asking
from grpc_operator.xds.server import AdsServer
from tests.unit.xds.test_load_totals import CANARY, SERVICE, USERS, stats
from tests.waiting import HANG, until
from tests.xds_access import Named, channel, metadata, tls, token

GATEWAY = gateway_key("ns", "gw")
BOTH = {USERS, CANARY}


class Reporter:
    """A server, and a proxy that reports by hand."""

    def __init__(self) -> None:
        self.named = Named()
        self.server = AdsServer(lambda *_: None, self.named)
        self.stub: Any = None

    def want(self, *clusters: str) -> None:
        """Publishes a snapshot whose services have several revisions."""
        self.server.publish(GATEWAY, Snapshot({}, {}, frozenset(clusters)))

    async def open(self, node: str = "pod-0", *reported: Any, access: str | None = None) -> Any:
        """Opens a stream; its first request is a report when there are some."""
        known = token("ns/gw", node) if access is None else access
        call = self.stub.StreamLoadStats(metadata=metadata(known))
        request = lrs_pb2.LoadStatsRequest(cluster_stats=reported)
        request.node.id, request.node.cluster = node, "ns/gw"
        await call.write(request)
        return call

    def connect(self, access: str) -> Any:
        """Opens a stream, without a request: a write to a stream that the server has ended would
        make grpcio report INTERNAL.
        """
        return self.stub.StreamLoadStats(metadata=metadata(access))

    def ok(self, cluster: str = USERS) -> dict[str, int]:
        """Returns the attempts to a cluster that ended well, by proxy."""
        loads = self.server.load_reports.loads(GATEWAY, SERVICE)
        return {node: each[cluster].ok for node, each in loads.items()}

    async def counted(self, **expected: int) -> None:
        """Waits until the proxies have so many attempts."""

        async def known() -> bool:
            return {f"pod_{node[-1]}": ok for node, ok in self.ok().items()} == expected

        await until(known, f"{expected}, not {self.ok()}")


@pytest.fixture
async def reporter() -> AsyncIterator[Reporter]:
    """A server and a connection to it."""
    made = Reporter()
    port = await made.server.start(0, tls(), "127.0.0.1")
    async with channel(port) as connection:
        made.stub = lrs_pb2_grpc.LoadReportingServiceStub(connection)
        yield made
        await made.server.stop(0)


async def report(call: Any, *reported: Any) -> None:
    """Sends a report."""
    await call.write(lrs_pb2.LoadStatsRequest(cluster_stats=reported))


async def asked(call: Any) -> tuple[set[str], float]:
    """Returns the clusters that the server asks for, and the interval in seconds."""
    response = await asyncio.wait_for(call.read(), HANG)
    return set(response.clusters), response.load_reporting_interval.ToMilliseconds() / 1000


async def ended(call: Any) -> grpc.StatusCode:
    """Waits until the stream ends; returns its code."""
    while await call.read() is not grpc.aio.EOF:
        pass
    code: grpc.StatusCode = await call.code()
    return code


async def test_a_proxy_is_asked_for_what_is_wanted_and_counted(reporter: Reporter) -> None:
    reporter.want(USERS, CANARY)
    call = await reporter.open()
    assert await asked(call) == (BOTH, load_stream.INTERVAL)
    for _ in range(2):
        await report(call, stats(USERS, {"ok": 5}))
    await reporter.counted(pod_0=10)
    assert reporter.server.stats.load_reports == 2


async def test_a_proxy_is_asked_for_nothing_until_something_is_wanted(reporter: Reporter) -> None:
    """A response without clusters would make Envoy report nothing, again and again."""
    reporter.want()
    call = await reporter.open()
    reporter.want(USERS)
    assert (await asked(call))[0] == {USERS}


async def test_a_list_is_replaced_after_a_report_which_counts(reporter: Reporter) -> None:
    """Envoy drops what it has counted of a cluster that it is no longer asked for."""
    reporter.want(USERS)
    call = await reporter.open()
    await asked(call)
    reporter.want()
    await report(call, stats(USERS, {"ok": 5}))
    clusters, seconds = await asked(call)
    assert (clusters, seconds) == (set(), 3600)
    await reporter.counted(pod_0=5)
    await report(call, stats(USERS, {"ok": 7}))
    reporter.want(CANARY)
    assert (await asked(call))[0] == {CANARY}
    assert reporter.ok() == {"pod-0": 5}


async def test_a_proxy_that_comes_back_goes_on_with_its_report(reporter: Reporter) -> None:
    """What came before its first request is in it. It no longer counts if nobody wants it."""
    first = await reporter.open("pod-0", stats(USERS, {"ok": 3}))
    assert await asked(first) == (set(), 3600)
    reporter.want(USERS)
    await asked(first)
    second = await reporter.open("pod-0", stats(USERS, {"ok": 4}))
    await reporter.counted(pod_0=4)
    assert (await asked(second))[0] == {USERS}
    assert await ended(first) is grpc.StatusCode.OK


async def test_proxies_are_counted_apart(reporter: Reporter) -> None:
    reporter.want(USERS)
    for number in range(3):
        await reporter.open(f"pod-{number}", stats(USERS, {"ok": number + 1}))
    await reporter.counted(pod_0=1, pod_1=2, pod_2=3)


@pytest.mark.parametrize("access", ["", "nobody"])
async def test_nobody_is_asked_without_a_valid_token(reporter: Reporter, access: str) -> None:
    reporter.want(USERS)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await reporter.connect(access).read()
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("access", ["ns/other/pod-0", "ns/gw/pod-1"])
async def test_nobody_is_counted_with_the_token_of_another_proxy(
    reporter: Reporter, access: str
) -> None:
    reporter.want(USERS)
    call = await reporter.open("pod-0", stats(USERS, {"ok": 9}), access=access)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert reporter.ok() == {}


async def test_a_proxy_presents_its_current_token_from_time_to_time(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is an ordinary one: Envoy connects again, and logs no warning."""
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.01)
    reporter.want(USERS)
    call = await reporter.open()
    await asked(call)
    reporter.named.gone.add("pod-0")
    assert await ended(call) is grpc.StatusCode.OK


async def test_a_report_beyond_the_limit_ends_the_stream(reporter: Reporter) -> None:
    reporter.want(USERS)
    call = await reporter.open()
    await asked(call)
    most = limits.LOAD_REPORT_ENTRIES.value
    await report(call, *[stats("x")] * (most + 1))
    with pytest.raises(grpc.aio.AioRpcError, match=f"may have {most}"):
        await call.read()


async def test_a_flood_of_reports_waits_in_the_client(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server reads a few, and HTTP/2 holds the others up: it does not keep them."""
    monkeypatch.setattr(load_stream, "_REPORTS_PER_SECOND", 0.001)
    reporter.want(USERS)
    call = await reporter.open()
    await asked(call)

    async def flood() -> None:
        while True:
            await report(call, *[stats(f"ns/{'x' * 1000}", {"ok": 1})] * 1000)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flood(), 1)
    assert reporter.server.stats.load_reports <= 20
    assert reporter.ok() == {}


async def test_a_client_without_a_first_request_is_left(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FIRST_REQUEST_SECONDS", 0.05)
    call = reporter.connect("ns/gw/pod-0")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_changes_do_not_put_off_reports() -> None:
    """Each list begins Envoy's interval anew: several changes are one list after a report."""
    asking = Asking(frozenset({USERS}), goes_on=False)
    assert asking.next(0.0) is not None
    for number in range(10):
        asking.want(frozenset({USERS, f"ns/users@{number}"}), number / 10)
        assert asking.next(number / 10) is None
    asking.reported()
    found = asking.next(1.0)
    assert found is not None
    assert set(found.clusters) == {USERS, "ns/users@9"}
    assert asking.next(1.0) is None


def test_a_proxy_that_reports_nothing_is_not_waited_for_for_ever() -> None:
    asking = Asking(frozenset({USERS}), goes_on=False)
    asking.next(0.0)
    asking.want(frozenset(BOTH), 1.0)
    assert asking.deadline == 1.0 + 2 * load_stream.INTERVAL
    assert asking.next(asking.deadline) is not None
    assert asking.deadline is None
