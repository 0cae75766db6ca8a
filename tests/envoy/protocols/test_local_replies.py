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
        what = (
            "GET /v1/users/x" if isinstance(client, RestClient) else "/user.v1.UserService/GetUser"
        )
        why = "no server is ready" if host == "empty.test" else "no server could be reached"
        assert outcome.message == f"{what} on {host}: {why}; try again later"


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
    message = reply.json()["message"]
    assert message == f"GET {path} on users.test: nothing is served under this host and path"


async def test_the_path_in_a_message_is_short(site: Site) -> None:
    """The rest of it is cut off, and its query left out."""
    path = f"/nowhere/{'x' * 10_000}"
    for kind in ("application/json", "application/grpc"):
        headers = {"host": "users.test", "content-type": kind}
        reply = await calls.http(site.gateway.port, "POST", f"{path}?secret=x", headers=headers)
        text = reply.body.decode() + reply.headers.get("grpc-message", "")
        assert path[:200] in text
        assert "secret" not in text
        assert len(text) < 500


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (415, {"content-type": "text/plain"}, b"{}", "content-type application/json"),
        (413, {"content-type": "application/json"}, b" " * 2000, "a message is larger than"),
        (400, {"content-type": "application/json"}, b"]", ""),
    ],
)
async def test_a_body_that_is_refused(
    site: Site, status: int, headers: dict[str, str], body: bytes, text: str
) -> None:
    headers = {"host": "small.test", **headers}
    reply = await calls.http(site.gateway.port, "POST", "/v1/users", body=body, headers=headers)
    assert reply.status == status
    message = reply.json()["message"]
    assert message.startswith("POST /v1/users on small.test: ")
    assert text in message


async def test_grpc_web_that_nobody_serves(site: Site) -> None:
    for text in (False, True):
        web = WebClient(site.schema, site.gateway.port, "unknown.test", text=text)
        method = "user.v1.UserService/GetUser"
        assert web.outcome(method, await web.post(method, [b""])).code == 12
