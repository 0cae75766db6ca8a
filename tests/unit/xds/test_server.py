"""The server's answers to clients other than Envoy."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from grpc_operator.gateway.snapshot import CLUSTER
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds.server import AdsServer
from tests.unit.xds.proxy import snapshot

GATEWAY = gateway_key("ns", "gw")
USERS = service_key("ns", "users")
SNAPSHOT = snapshot({CLUSTER: {"users": "1"}}, {USERS: "1"}, owners={"users": USERS})


class Client:
    """A server and one client of it."""

    def __init__(self) -> None:
        self.reported: list[tuple[Key, frozenset[Key]]] = []
        self.server = AdsServer(lambda *call: self.reported.append(call))
        self.stub: Any = None

    async def start(self) -> grpc.aio.Channel:
        """Starts the server and connects."""
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{await self.server.start(0, '127.0.0.1')}")
        self.stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        return channel

    async def open(self, cluster: str = "ns/gw", node: str = "pod-0") -> Any:
        """Opens a stream with a request for all clusters."""
        call = self.stub.DeltaAggregatedResources()
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
        request.node.id, request.node.cluster = node, cluster
        await call.write(request)
        return call


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A server with a client."""
    made = Client()
    async with await made.start():
        yield made
        await made.server.stop(0)


async def test_state_of_the_world_is_rejected_with_the_setting_to_change(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="set api_type: DELTA_GRPC") as error:
        await client.stub.StreamAggregatedResources().read()
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("cluster", ["", "gw", "/gw", "ns/", "a/b/c"])
async def test_a_proxy_must_name_its_gateway(client: Client, cluster: str) -> None:
    call = await client.open(cluster)
    with pytest.raises(grpc.aio.AioRpcError, match="NAMESPACE/NAME") as error:
        await call.read()
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert repr(cluster) in str(error.value.details())


async def test_streams_end_with_unavailable_when_the_server_stops(client: Client) -> None:
    client.server.publish(GATEWAY, SNAPSHOT)
    call = await client.open()
    assert (await call.read()).resources[0].name == "users"
    await client.server.stop(5)
    with pytest.raises(grpc.aio.AioRpcError, match="this replica is stopping") as error:
        await call.read()
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert client.server.stats.connected == 0


async def test_connections_and_completion_are_reported(client: Client) -> None:
    client.server.publish(GATEWAY, SNAPSHOT)
    call = await client.open()
    response = await call.read()
    (state,) = client.server.proxies(GATEWAY)
    assert (state.node, state.config_hashes, state.rejected) == ("pod-0", {}, {})
    assert client.reported == [(GATEWAY, frozenset({USERS}))]
    await call.write(
        discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER, response_nonce=response.nonce)
    )
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert client.server.proxies(GATEWAY) == ()
    assert client.reported == [(GATEWAY, frozenset({USERS}))] * 3
    assert (client.server.stats.acks, client.server.stats.pushes) == (1, {"Cluster": 1})


async def test_of_two_streams_of_one_proxy_the_later_counts(client: Client) -> None:
    client.server.publish(GATEWAY, SNAPSHOT)
    for _ in range(2):
        call = await client.open()
        await call.read()
    await client.open(node="a-pod")
    await (await client.open(node="b-pod")).read()
    assert [state.node for state in client.server.proxies(GATEWAY)] == ["a-pod", "b-pod", "pod-0"]
    assert client.server.stats.connected == 4
