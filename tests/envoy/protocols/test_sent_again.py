"""What never reached a server is sent to another one, streams included; nothing else is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest
import pytest_asyncio

from grpc_service_kit.testing.postgres import free_port
from tests.envoy.calls import Schema
from tests.envoy.protocols.backends import (
    INTERNAL_ERROR,
    REFUSED_STREAM,
    Recorder,
    resetting_http2,
    user_descriptor,
)
from tests.envoy.protocols.clients import Client, GrpcClient, Json, RestClient, WebClient
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_CALLS = 30
_AT_A_TIME = 5
_LARGE = "x" * (1 << 20)

_REQUESTS: dict[str, list[Json]] = {
    "CreateUser": [{"email": "a@b.c", "name": "a"}],
    "ListUsers": [{"pageSize": 2}],
    "BatchCreateUsers": [{"email": "a@b.c", "name": "a"}, {"email": "a@b.d", "name": "b"}],
    "SyncUsers": [{"user": {"name": "a"}}, {"user": {"name": "b"}}],
}
"""One method of each kind."""

_METHODS = list(_REQUESTS)


@dataclass(frozen=True)
class Pods:
    """Services of which one pod answers, while another one does not.

    Attributes:
        port: Of the gateway.
        server: The one that answers.
        failed: Streams of the one that fails after it has seen the request.
    """

    port: int
    server: Recorder
    failed: list[int]
    schema: Schema

    def client(self, protocol: str, host: str) -> Client:
        """Returns a client of one of the services."""
        clients: dict[str, Client] = {
            "grpc": GrpcClient(self.schema, self.port, host),
            "grpc-web": WebClient(self.schema, self.port, host),
            "grpc-web-text": WebClient(self.schema, self.port, host, text=True),
            "rest": RestClient(self.port, host),
        }
        return clients[protocol]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pods() -> AsyncIterator[Pods]:
    """A killed pod and one that refuses streams, each beside a good one; one that fails."""
    server, descriptor = Recorder(), user_descriptor()
    async with (
        serving(server) as up,
        resetting_http2(REFUSED_STREAM) as (refusing, _),
        resetting_http2(INTERNAL_ERROR) as (failing, failed),
        running_gateway() as made,
    ):
        ports = {
            "killed.test": (up, free_port()),
            "refusing.test": (up, refusing),
            "failing.test": (failing,),
            "gone.test": (free_port(),),
        }
        await made.serve(
            *(
                Exposed(host.partition(".")[0], descriptor, of, {"hostnames": [host]})
                for host, of in ports.items()
            )
        )
        yield Pods(made.port, server, failed, Schema(descriptor))


async def _codes(client: Client, method: str) -> Counter[int]:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one() -> int:
        async with limit:
            return (await client.call(method, *_REQUESTS[method])).code

    return Counter(await asyncio.gather(*(one() for _ in range(_CALLS))))


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("protocol", ["grpc", "grpc-web", "rest"])
@pytest.mark.parametrize("host", ["killed.test", "refusing.test"])
async def test_what_reached_no_server_is_sent_again(
    pods: Pods, host: str, protocol: str, method: str
) -> None:
    """Whatever streams: the proxy has kept the beginning of the request."""
    assert await _codes(pods.client(protocol, host), method) == {0: _CALLS}


@pytest.mark.parametrize("method", _METHODS)
async def test_base64_is_not_sent_again(pods: Pods, method: str) -> None:
    """It is decoded as it arrives, and could not be repeated."""
    found = await _codes(pods.client("grpc-web-text", "killed.test"), method)
    assert set(found) <= {0, grpc.StatusCode.UNAVAILABLE.value[0]}
    assert found[0] > 0


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("protocol", ["grpc", "grpc-web", "rest"])
async def test_what_a_server_has_seen_is_not_sent_again(
    pods: Pods, protocol: str, method: str
) -> None:
    pods.failed.clear()
    outcome = await pods.client(protocol, "failing.test").call(method, *_REQUESTS[method])
    assert outcome.code != 0
    assert len(pods.failed) == 1


@pytest.mark.parametrize("method", ["CreateUser", "BatchCreateUsers", "SyncUsers"])
@pytest.mark.parametrize("protocol", ["grpc", "grpc-web", "grpc-web-text", "rest"])
@pytest.mark.parametrize("host", ["killed.test", "gone.test"])
async def test_large_requests_arrive_or_are_unavailable(
    pods: Pods, host: str, protocol: str, method: str
) -> None:
    """A proxy keeps little of them: what it cannot send again, the client may."""
    large = {"name": _LARGE}
    request = {"user": large} if method == "SyncUsers" else large
    client = pods.client(protocol, host)
    found = [await client.call(method, request) for _ in range(4)]
    assert {outcome.code for outcome in found} <= {0, grpc.StatusCode.UNAVAILABLE.value[0]}
