"""What the gateway answers itself, and statuses that services send, on every protocol."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from grpc_service_kit.testing.postgres import free_port
from tests.envoy import calls
from tests.envoy.protocols.backends import Failing, plain_http2, user_descriptor
from tests.envoy.protocols.clients import Client, GrpcClient, RestClient, WebClient
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_HTTP_ONLY = {401: 16, 403: 7, 429: 14, 503: 14}
"""gRPC status by HTTP status (grpc/grpc, http-grpc-status-mapping.md) of something behind the
gateway that knows no gRPC, such as another proxy."""


def clients(site: Site, port: int, host: str) -> list[Client]:
    return [
        GrpcClient(site.schema, port, host),
        WebClient(site.schema, port, host),
        WebClient(site.schema, port, host, text=True),
        RestClient(port, host),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def broken() -> AsyncIterator[Gateway]:
    """Services without endpoints, with one that refuses connections, and failing ones."""
    descriptor = user_descriptor()
    async with serving(Failing()) as failing, running_gateway() as made:
        await made.serve(
            Exposed("empty", descriptor, (), {"hostnames": ["empty.test"]}),
            Exposed("down", descriptor, (free_port(),), {"hostnames": ["down.test"]}),
            Exposed("failing", descriptor, (failing,), {"hostnames": ["failing.test"]}),
        )
        yield made


@pytest.mark.parametrize("host", ["empty.test", "down.test"])
async def test_nobody_to_ask(site: Site, broken: Gateway, host: str) -> None:
    for client in clients(site, broken.port, host):
        outcome = await client.call("GetUser", {"id": "x"})
        assert outcome.code == grpc.StatusCode.UNAVAILABLE.value[0], client
        assert outcome.message


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"])
async def test_status_of_the_service(site: Site, broken: Gateway, code: str) -> None:
    for client in clients(site, broken.port, "failing.test"):
        outcome = await client.call("GetUser", {"id": "x"}, x_fail=code)
        expected = (grpc.StatusCode[code].value[0], f"it is {code}")
        assert (outcome.code, outcome.message) == expected, client


@pytest.mark.parametrize(("status", "code"), _HTTP_ONLY.items())
async def test_http_status_from_behind(site: Site, status: int, code: int) -> None:
    async with plain_http2(status) as upstream, running_gateway() as made:
        await made.serve(Exposed("plain", user_descriptor(), (upstream,)))
        outcome = await GrpcClient(site.schema, made.port, "any.test").call("GetUser", {"id": "x"})
        assert outcome.code == code
        rest = await RestClient(made.port, "any.test").send("GetUser", {"id": "x"})
        assert rest.status == status, rest
        for text in (False, True):
            # Browsers' clients map the HTTP status themselves when there is no other.
            web = WebClient(site.schema, made.port, "any.test", text=text)
            reply = await web.post("user.v1.UserService/GetUser", [b""])
            assert (reply.status, "grpc-status" in reply.headers) == (status, False), reply


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v1", "/v1/users/a/b", "//", "/v1//users"])
async def test_nothing_is_there(site: Site, path: str) -> None:
    reply = await calls.http(site.gateway.port, "GET", path, headers={"host": "users.test"})
    assert (reply.status, reply.json()["code"]) == (404, 5)
    assert reply.headers["Content-Type"].startswith("application/json")
    assert reply.json()["message"]


async def test_grpc_web_that_nobody_serves(site: Site) -> None:
    for text in (False, True):
        web = WebClient(site.schema, site.gateway.port, "unknown.test", text=text)
        method = "user.v1.UserService/GetUser"
        assert web.outcome(method, await web.post(method, [b""])).code == 12
