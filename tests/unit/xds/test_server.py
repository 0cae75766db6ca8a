"""The server's answers to clients other than Envoy: to known ones, and to attackers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from grpc_operator import limits
from grpc_operator.gateway.snapshot import CLUSTER
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds import connected, stream, waiting
from grpc_operator.xds.server import AdsServer
from tests.unit.xds.proxy import snapshot
from tests.waiting import until
from tests.xds_access import Named, channel, metadata, tls, token

GATEWAY = gateway_key("ns", "gw")
USERS = service_key("ns", "users")
SNAPSHOT = snapshot({CLUSTER: {"users": "1"}}, {USERS: "1"}, owners={"users": USERS})


class Client:
    """A server and one client of it."""

    def __init__(self) -> None:
        self.reported: list[tuple[Key, frozenset[Key]]] = []
        self.named = Named()
        self.server = AdsServer(lambda *call: self.reported.append(call), self.named)
        self.port = 0
        self.stub: Any = None

    async def start(self) -> grpc.aio.Channel:
        """Starts the server and connects."""
        self.port = await self.server.start(0, tls(), "127.0.0.1")
        connection = channel(self.port)
        self.stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(connection)
        return connection

    def connect(self, access: str = "ns/gw/pod-0") -> Any:
        """Opens a stream, without a request.

        A write to a stream that the server has ended would make grpcio report INTERNAL.
        """
        return self.stub.DeltaAggregatedResources(metadata=metadata(access))

    async def open(
        self, cluster: str = "ns/gw", node: str = "pod-0", access: str | None = None
    ) -> Any:
        """Opens a stream with a request for all clusters; by default with the token of the node."""
        call = self.connect(token(cluster, node) if access is None else access)
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
        request.node.id, request.node.cluster = node, cluster
        await call.write(request)
        return call

    def nodes(self) -> list[str]:
        """Returns the connected proxies."""
        return [state.node for state in self.server.proxies(GATEWAY)]


async def ended(call: Any) -> tuple[grpc.StatusCode, str]:
    """Reads until the stream ends; returns how."""
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    raise AssertionError("the stream has ended without an error")


async def acknowledged(client: Client, call: Any) -> None:
    """Acknowledges one response, and waits until the server knows."""
    response = await call.read()
    await call.write(
        discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER, response_nonce=response.nonce)
    )

    async def known() -> bool:
        return any(state.config_hashes for state in client.server.proxies(GATEWAY))

    await until(known, "the proxy has everything")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A server with a client."""
    made = Client()
    async with await made.start():
        made.server.publish(GATEWAY, SNAPSHOT)
        yield made
        await made.server.stop(0)


async def test_state_of_the_world_is_rejected_with_the_setting_to_change(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="set api_type: DELTA_GRPC") as error:
        await client.stub.StreamAggregatedResources().read()
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "credentials",
    [
        [],
        metadata(""),
        metadata("nobody"),
        metadata("x" * (limits.TOKEN_BYTES.value + 1)),
        [("authorization", "ns/gw/pod-0")],
        [("authorization", "Basic ns/gw/pod-0")],
        metadata("ns/gw/pod-0") * 2,
        [("authorization-bin", b"Bearer ns/gw/pod-0")],
    ],
    ids=["none", "empty", "unknown", "huge", "no scheme", "other scheme", "two", "binary"],
)
async def test_nobody_without_a_valid_token_is_sent_or_counted_anything(
    client: Client, credentials: Any
) -> None:
    """All get one answer, from which they learn nothing, and change no state of any proxy."""
    call = client.stub.DeltaAggregatedResources(metadata=credentials)

    assert await ended(call) == (grpc.StatusCode.UNAUTHENTICATED, "a valid token is required")
    assert client.nodes() == []
    assert client.reported == []
    assert client.server.stats.connected == 0


async def test_plain_text_is_not_answered(client: Client) -> None:
    """There is no port without TLS."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{client.port}") as plain:
        stub: Any = ads_pb2_grpc.AggregatedDiscoveryServiceStub(plain)
        call = stub.DeltaAggregatedResources(metadata=metadata(token("ns/gw", "pod-0")))
        assert (await ended(call))[0] == grpc.StatusCode.UNAVAILABLE
    assert client.reported == []


@pytest.mark.parametrize(
    ("cluster", "node"),
    [("ns/gw", "pod-1"), ("ns/other", "pod-0"), ("", "pod-0"), ("ns/gw", ""), ("ns/gw", "x" * 999)],
)
async def test_a_proxy_cannot_speak_for_another_one(
    client: Client, cluster: str, node: str
) -> None:
    """The token says who it is; a request that says otherwise ends the stream."""
    call = await client.open(cluster, node, access=token("ns/gw", "pod-0"))
    code, text = await ended(call)

    assert code == grpc.StatusCode.PERMISSION_DENIED
    assert "'pod-0' and 'ns/gw'" in text
    assert client.nodes() == []
    assert client.reported == []


async def test_a_proxy_that_says_nothing_does_not_stay(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream without a request would cost memory for ever."""
    monkeypatch.setattr(stream, "FIRST_REQUEST_SECONDS", 0.1)
    assert (await ended(client.connect()))[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert client.nodes() == []


async def test_streams_end_with_unavailable_when_the_server_stops(client: Client) -> None:
    call = await client.open()
    assert (await call.read()).resources[0].name == "users"
    await client.server.stop(5)
    with pytest.raises(grpc.aio.AioRpcError, match="this replica is stopping") as error:
        await call.read()
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE

    async def disconnected() -> bool:
        return client.server.stats.connected == 0

    await until(disconnected, "the stream has ended at the server, too")


async def test_connections_and_completion_are_reported(client: Client) -> None:
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


async def test_a_newer_stream_of_a_pod_ends_the_older_one(client: Client) -> None:
    """Otherwise two streams of one proxy could contradict each other; others are not affected."""
    older = await client.open()
    await older.read()
    others = [await client.open(node=node) for node in ("a-pod", "b-pod")]
    for other in others:
        await other.read()
    newer = await client.open()
    await newer.read()

    code, text = await ended(older)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "replaced by a newer stream" in text
    assert client.nodes() == ["a-pod", "b-pod", "pod-0"]

    async def three() -> bool:
        return client.server.stats.connected == 3

    await until(three, "the older stream is not counted")


async def test_a_pod_that_is_gone_loses_its_stream(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its token may be valid for another hour; what it had counts no longer either."""
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.05)
    call = await client.open()
    await acknowledged(client, call)
    client.named.gone.add("pod-0")

    code, text = await ended(call)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "the pod of this proxy is gone" in text

    async def none_is_left() -> bool:
        return client.nodes() == []

    await until(none_is_left, "it is not counted")
    code, _ = await ended(client.connect())
    assert code == grpc.StatusCode.UNAUTHENTICATED


async def test_an_expired_token_ends_the_stream_but_not_what_the_proxy_has(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It connects again with a new token, and no status changes meanwhile."""
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(connected, "RECONNECT_SECONDS", 0.5)
    client.named.lifetime = 0.3
    call = await client.open()
    await acknowledged(client, call)

    code, text = await ended(call)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "connect again" in text
    (state,) = client.server.proxies(GATEWAY)
    assert state.config_hashes == {USERS: "1"}

    client.named.lifetime = 3600
    again = await client.open()
    await again.read()
    (state,) = client.server.proxies(GATEWAY)
    assert state.config_hashes == {USERS: "1"}, "until it has shown what it has now"


async def test_a_proxy_that_does_not_come_back_is_forgotten_and_reported(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(connected, "RECONNECT_SECONDS", 0.2)
    client.named.lifetime = 0.3
    call = await client.open()
    await acknowledged(client, call)
    await ended(call)
    before = len(client.reported)

    async def forgotten() -> bool:
        return client.nodes() == [] and len(client.reported) > before

    await until(forgotten, "the proxy is gone")


async def test_more_proxies_than_the_limit_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none that is served loses its place."""
    lowered = limits.Limit("", 1, "", "", "")
    monkeypatch.setattr(limits, "XDS_PROXIES", lowered)
    first = await client.open()
    await first.read()

    code, _ = await ended(client.connect("ns/gw/pod-1"))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert client.nodes() == ["pod-0"]
    again = await client.open()
    await again.read()


async def test_a_message_beyond_the_limit_ends_the_stream(client: Client) -> None:
    call = await client.open()
    await call.read()
    request = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
    request.resource_names_subscribe.append("x" * limits.XDS_REQUEST_BYTES.value)
    await call.write(request)

    assert (await ended(call))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_more_unknown_calls_than_the_limit_are_sent_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While tokens are being checked, and not only after that."""
    monkeypatch.setattr(limits, "XDS_UNKNOWN_CALLS", limits.Limit("", 0, "", "", ""))
    code, text = await ended(client.connect())

    assert code == grpc.StatusCode.UNAVAILABLE
    assert "too many calls" in text


async def test_a_limit_of_a_stream_is_named(client: Client) -> None:
    """Whether the first request goes beyond it or a later one."""
    request: Any = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
    request.node.id, request.node.cluster = "pod-0", "ns/gw"
    request.resource_names_subscribe.append("x" * 2000)
    call = client.connect()
    await call.write(request)

    code, text = await ended(call)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "at most 1024 characters" in text


async def test_connections_are_few_whoever_opens_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes memory before a token is seen."""
    monkeypatch.setattr(limits, "XDS_CONNECTIONS", limits.Limit("", 3, "", "", ""))
    server = AdsServer(lambda *_: None, Named())
    port = await server.start(0, tls(), "127.0.0.1")
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]

    async def closed() -> bool:
        return sum(reader.at_eof() for reader, _ in opened) == 7

    await until(closed, "all but three are closed")
    for _, writer in opened:
        writer.close()
    await server.stop(0)
