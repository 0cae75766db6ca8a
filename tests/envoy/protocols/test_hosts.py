"""Host names: exact, wildcard, ports, foreign ones, and a service on every host."""

import pytest

from tests.envoy import calls
from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.clients import GrpcClient, RestClient
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.protocols.test_exposure import call

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_METHOD = "user.v1.UserService/GetUser"


@pytest.mark.parametrize(
    "host",
    [
        "users.test",
        "users.test:8080",
        "users.test.",
        "Users.TEST.:8080",
        "USERS.test",
        "a.wild.test",
        "b.a.wild.test.",
    ],
)
async def test_a_host_of_the_service(site: Site, protocol: str, host: str) -> None:
    assert (await site.client(protocol, host).call("GetUser", {"id": "x"})).code == 3


@pytest.mark.parametrize("host", ["other.test", "wild.test", "users.test.evil", "127.0.0.1", "x"])
async def test_a_foreign_host(site: Site, host: str) -> None:
    assert (await call(site.gateway.port, host, _METHOD)).code == 12
    reply = await calls.http(site.gateway.port, "GET", "/v1/users/x", headers={"host": host})
    assert (reply.status, reply.json()["code"]) == (404, 5)


async def test_every_host_and_a_more_specific_one(site: Site) -> None:
    """A service on every host is served on hosts that others of its namespace name too."""
    exact = {"hostnames": ["exact.test"], "rest": {"autoMapping": "Enabled"}}
    services = (
        Exposed("everywhere", user_descriptor(), (site.upstream,)),
        Exposed("exact", user_descriptor(), (site.upstream,), exact),
    )
    async with running_gateway() as made:
        await made.serve(*services)
        assert not made.refused
        for host in ("exact.test", "any.test", "localhost"):
            assert (await RestClient(made.port, host).call("GetUser", {"id": "x"})).code == 3
            grpc = GrpcClient(site.schema, made.port, host)
            assert (await grpc.call("GetUser", {"id": "x"})).code == 3
            headers = {"host": host, "content-type": "application/json"}
            reply = await calls.http(made.port, "POST", f"/{_METHOD}", body=b"{}", headers=headers)
            assert reply.json()["code"] == 3
            assert reply.status == (400 if host == "exact.test" else 415)


async def test_the_host_name_of_a_listener(site: Site) -> None:
    services = (
        Exposed("everywhere", user_descriptor(), (site.upstream,)),
        Exposed("beside", user_descriptor(), (site.upstream,), {"hostnames": ["beside.test"]}),
    )
    async with running_gateway(hostname="*.inside.test") as made:
        await made.serve(*services)
        assert set(made.refused) == {services[1].key}
        rest = RestClient(made.port, "a.inside.test")
        assert (await rest.call("GetUser", {"id": "x"})).code == 3
        for host in ("beside.test", "inside.test"):
            assert (await call(made.port, host, _METHOD)).code == 12
