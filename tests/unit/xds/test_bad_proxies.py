"""50 proxies that refuse all or read nothing: what they cost the others and the operator."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from grpc_operator import limits
from grpc_operator.gateway.snapshot import CLUSTER, Snapshot
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds import pending
from grpc_operator.xds.server import AdsServer
from tests.unit.xds.proxy import snapshot
from tests.waiting import until
from tests.xds_access import Named, channel, metadata, tls, token

GATEWAY = gateway_key("ns", "gw")
USERS = service_key("ns", "users")
STREAMS = 50
OF_CONNECTION = 5
CHANGES = 6
NAMES = [f"c{number}" for number in range(40)]


def version(number: int) -> Snapshot:
    """Returns the snapshot in which every cluster has changed."""
    return snapshot(
        {CLUSTER: dict.fromkeys(NAMES, f"{number}-{'x' * 2000}")},
        {USERS: str(number)},
        owners=dict.fromkeys(NAMES, USERS),
    )


class Gateway:
    """A server, and proxies that connect to it."""

    def __init__(self) -> None:
        self.server = AdsServer(self._ignore, Named())
        self.port = 0
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._calls: list[Any] = []

    @staticmethod
    def _ignore(gateway: Key, services: frozenset[Key]) -> None:
        del gateway, services

    async def start(self) -> None:
        """Serves the first version."""
        self.port = await self.server.start(0, tls(), "127.0.0.1")
        self.server.publish(GATEWAY, version(0))

    async def stop(self) -> None:
        """Ends everything."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        await self.server.stop(0)

    async def connect(self, *nodes: str) -> list[Any]:
        """Returns the streams of proxies that have asked for all clusters, by one connection."""
        options = {"grpc.use_local_subchannel_pool": 1}
        connection = await self._stack.enter_async_context(channel(self.port, **options))
        stub: Any = ads_pb2_grpc.AggregatedDiscoveryServiceStub(connection)
        calls = []
        for node in nodes:
            access = metadata(token(GATEWAY.namespaced_name, node))
            call = stub.DeltaAggregatedResources(metadata=access)
            request = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
            request.node.id, request.node.cluster = node, GATEWAY.namespaced_name
            await call.write(request)
            calls.append(call)
        return calls

    async def connect_all(self, *, refuse: bool) -> list[str]:
        """Connects bad proxies, a few by each connection; returns their names."""
        nodes = [f"bad-{number}" for number in range(STREAMS)]
        for begin in range(0, STREAMS, OF_CONNECTION):
            for call in await self.connect(*nodes[begin : begin + OF_CONNECTION]):
                if refuse:
                    self.answer(call, refuse=True)
                self._calls.append(call)

        async def all_are_sent_something() -> bool:
            return self.server.stats.pushes.total() >= STREAMS

        await until(all_are_sent_something, "all are connected and sent something")
        return nodes

    def answer(self, call: Any, *, refuse: bool) -> None:
        """Answers every response of a stream from now on."""
        self._tasks.append(asyncio.create_task(_answer(call, refuse=refuse)))

    def has(self, node: str) -> str:
        """Returns the version that a proxy has."""
        return {
            each.node: each.config_hashes.get(USERS, "") for each in self.server.proxies(GATEWAY)
        }.get(node, "")


async def _answer(call: Any, *, refuse: bool) -> None:
    while True:
        response = await call.read()
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=CLUSTER, response_nonce=response.nonce
        )
        if refuse:
            request.error_detail.code, request.error_detail.message = 3, "no " * 10_000
        await call.write(request)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A server with the first version."""
    made = Gateway()
    await made.start()
    yield made
    await made.stop()


def snapshots() -> int:
    """Returns the number of snapshots in memory."""
    gc.collect()
    return sum(isinstance(each, Snapshot) for each in gc.get_objects())


async def changed(gateway: Gateway, times: int) -> None:
    """Publishes versions, each when a good proxy has the one before."""
    (good,) = await gateway.connect("good")
    gateway.answer(good, refuse=False)
    for number in range(times + 1):
        gateway.server.publish(GATEWAY, version(number))

        async def good_has_it(expected: str = str(number)) -> bool:
            return gateway.has("good") == expected

        await until(good_has_it, f"the good proxy has version {number}")


async def test_proxies_that_read_nothing_are_sent_one_response_and_delay_nobody(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the server has stopped waiting for them: what they lack does not pile up."""
    monkeypatch.setattr(pending, "ACK_TIMEOUT", 0.0)
    monkeypatch.setattr(pending, "ACK_TIMEOUT_PER_RESOURCE", 0.0)
    before = snapshots()
    nodes = await gateway.connect_all(refuse=False)
    await changed(gateway, CHANGES)

    assert all(gateway.has(node) == "" for node in nodes)
    assert gateway.server.stats.pushes == {"Cluster": STREAMS + CHANGES + 1}
    assert snapshots() - before <= 1  # the latest instead of the first


async def test_proxies_that_refuse_everything_delay_nobody_and_are_quoted_shortly(
    gateway: Gateway,
) -> None:
    """Each resource of a version is sent twice at most: with the others, and once more alone."""
    before = snapshots()
    nodes = await gateway.connect_all(refuse=True)
    await changed(gateway, CHANGES)
    stats = gateway.server.stats

    async def all_answered() -> bool:
        last = str(CHANGES)
        return stats.pushes.total() == stats.acks + stats.nacks and gateway.has("good") == last

    await until(all_answered, "nothing is sent any more")
    assert all(gateway.has(node) == "" for node in nodes)
    assert stats.nacks <= STREAMS * (CHANGES + 1) * (1 + len(NAMES))
    assert snapshots() - before <= 1
    for proxy in gateway.server.proxies(GATEWAY):
        assert bool(proxy.rejected) == (proxy.node != "good")
        for text in proxy.rejected.values():
            assert len(text) < 4 * limits.XDS_ERROR.value
            assert text.endswith("; and 37 more")
