"""Every error by every protocol: the same status code and message as without the gateway."""

from uuid import uuid4

import grpc
import pytest

from tests.envoy import calls
from tests.envoy.protocols.clients import HTTP_STATUS, Client, Json, RestClient, WebClient
from tests.envoy.protocols.conftest import USERS, Site
from tests.envoy.protocols.test_seven_rpcs import created, person

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_UNKNOWN_ID = str(uuid4())

_ERRORS: list[tuple[int, str, list[Json]]] = [
    (5, "GetUser", [{"id": _UNKNOWN_ID}]),
    (5, "UpdateUser", [{"id": _UNKNOWN_ID, "name": "x"}]),
    (5, "DeleteUser", [{"id": _UNKNOWN_ID}]),
    (3, "GetUser", [{"id": "no-uuid"}]),
    (3, "CreateUser", [{"email": "no address", "name": "x"}]),
    (3, "ListUsers", [{"pageSize": -1}]),
    (3, "BatchCreateUsers", [{"email": "a@example.com", "name": "x"}, {"email": "no address"}]),
    (3, "SyncUsers", [{"user": {"email": "no address"}}]),
]


@pytest.mark.parametrize(("code", "method", "requests"), _ERRORS)
async def test_error(
    site: Site, client: Client, code: int, method: str, requests: list[Json]
) -> None:
    direct = await site.client("direct").call(method, *requests)
    assert direct.code == code
    assert direct.message
    assert await client.call(method, *requests) == direct


async def test_already_exists(site: Site, client: Client) -> None:
    user = await created(site)
    request = {"email": user["email"], "name": "x"}
    direct = await site.client("direct").call("CreateUser", request)
    assert direct.code == 6
    assert await client.call("CreateUser", request) == direct


async def test_error_after_answers(site: Site, client: Client, protocol: str) -> None:
    """A stream that fails late: REST has sent its 200 already, and loses the error."""
    requests: list[Json] = [{"user": person()}, {"user": {"email": "no address"}}]
    if protocol == "rest":
        reply = await RestClient(site.gateway.port, USERS).send("SyncUsers", *requests)
        assert (reply.status, len(reply.json())) == (200, 1)
        return
    outcome = await client.call("SyncUsers", *requests)
    assert (outcome.code, len(outcome.answers)) == (3, 1)
    assert outcome.message.startswith("entry 1: ")


async def test_method_the_server_does_not_have(site: Site) -> None:
    method = "user.v1.UserService/Nothing"
    direct = await _grpc(site.upstream, method)
    assert direct.code == 12
    assert await _grpc(site.gateway.port, method) == direct
    for text in (False, True):
        web = WebClient(site.schema, site.gateway.port, USERS, text=text)
        outcome = web.outcome(method, await web.post(method, [b""]))
        assert (outcome.code, outcome.message) == direct
    rest = await calls.http(site.gateway.port, "GET", "/v1/users/a/b", headers={"host": USERS})
    assert (rest.status, rest.json()["code"]) == (404, 5)


async def test_service_nobody_has(site: Site) -> None:
    method = "user.v9.Nobody/Nothing"
    assert (await _grpc(site.gateway.port, method)).code == 12
    web = WebClient(site.schema, site.gateway.port, USERS)
    assert web.outcome(method, await web.post(method, [b""])).code == 12


class _Status(tuple[int, str]):
    __slots__ = ()

    @property
    def code(self) -> int:
        return self[0]


async def _grpc(port: int, method: str) -> _Status:
    options = [("grpc.default_authority", USERS)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        reply = await calls.grpc_call(channel, method, b"")
    return _Status((reply.code, reply.message))


assert set(HTTP_STATUS) == {code.value[0] for code in grpc.StatusCode}
