"""What is not offered is refused: infrastructure services, and protocols that are left out."""

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.envoy import calls
from tests.envoy.calls import GrpcReply
from tests.envoy.protocols.clients import RestClient, WebClient
from tests.envoy.protocols.conftest import USERS, Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

HEALTH = "grpc.health.v1.Health/Check"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_LIST = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
_UNIMPLEMENTED = 12


async def call(port: int, host: str, method: str, message: bytes = b"") -> GrpcReply:
    options = [("grpc.default_authority", host)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        return await calls.grpc_call(channel, method, message)


@pytest.mark.parametrize("method", [HEALTH, REFLECTION])
async def test_infrastructure_is_not_offered(site: Site, method: str) -> None:
    assert (await call(site.gateway.port, USERS, method, _LIST)).code == _UNIMPLEMENTED
    web = WebClient(site.schema, site.gateway.port, USERS)
    assert web.outcome(method, await web.post(method, [_LIST])).code == _UNIMPLEMENTED


async def test_health_where_it_is_exposed(site: Site) -> None:
    reply = await call(site.gateway.port, "exposed.test", HEALTH)
    status = health_pb2.HealthCheckResponse.FromString(reply.messages[0]).status
    assert (reply.code, status) == (0, health_pb2.HealthCheckResponse.SERVING)


async def test_reflection_where_it_is_exposed(site: Site) -> None:
    reply = await call(site.gateway.port, "exposed.test", REFLECTION, _LIST)
    assert reply.code == 0
    listed = reflection_pb2.ServerReflectionResponse.FromString(reply.messages[0])
    names = [service.name for service in listed.list_services_response.service]
    assert "user.v1.UserService" in names


@pytest.mark.parametrize("host", ["only-grpc.test", "only-web.test", "only-rest.test"])
async def test_only_the_protocols_that_are_asked_for(site: Site, host: str) -> None:
    request = {"id": "no-uuid"}
    offered = {
        "only-grpc.test": "grpc", "only-web.test": "grpc-web", "only-rest.test": "rest",
    }[host]  # fmt: skip
    assert (await site.client(offered, host).call("GetUser", request)).code == 3
    if offered != "grpc":
        assert (await site.client("grpc", host).call("GetUser", request)).code != 3
    if offered != "grpc-web":
        web = WebClient(site.schema, site.gateway.port, host)
        reply = await web.post("user.v1.UserService/GetUser", [b""])
        assert reply.headers.get("grpc-status", str(_UNIMPLEMENTED)) != "3"
        assert b"grpc-status:3" not in reply.body
    if offered != "rest":
        reply = await RestClient(site.gateway.port, host).send("GetUser", request)
        assert (reply.status, reply.json()["code"]) == (404, 5)
