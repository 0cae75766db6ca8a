"""Web pages: preflight and actual requests, for gRPC-Web and REST."""

import pytest

from tests.envoy import calls
from tests.envoy.calls import HttpReply
from tests.envoy.protocols.clients import RestClient, WebClient
from tests.envoy.protocols.conftest import USERS, Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_HOST = "pages.test"
_ALLOWED = ["https://app.test", "https://one.apps.test"]
_FOREIGN = ["https://evil.test", "https://app.test.evil.test", "http://app.test", "null"]
_GRPC_WEB = ("/user.v1.UserService/GetUser", "POST", "content-type,x-grpc-web,x-user-agent")
_REST = ("/v1/users/no-uuid", "PATCH", "content-type,authorization")


async def preflight(
    site: Site, origin: str, requested: tuple[str, str, str], host: str
) -> HttpReply:
    path, method, names = requested
    headers = {
        "host": host,
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": names,
    }
    return await calls.http(site.gateway.port, "OPTIONS", path, headers=headers)


def _names(reply: HttpReply, header: str) -> set[str]:
    lower = {name.lower(): value for name, value in reply.headers.items()}
    return {name.strip().lower() for name in lower.get(header, "").split(",")}


def _allowed(reply: HttpReply) -> set[str]:
    return _names(reply, "access-control-allow-origin")


@pytest.mark.parametrize("requested", [_GRPC_WEB, _REST], ids=["grpc-web", "rest"])
@pytest.mark.parametrize("origin", _ALLOWED)
async def test_preflight(site: Site, origin: str, requested: tuple[str, str, str]) -> None:
    reply = await preflight(site, origin, requested, _HOST)
    assert reply.status in (200, 204), reply
    assert _allowed(reply) == {origin}
    assert requested[1].lower() in _names(reply, "access-control-allow-methods")
    assert set(requested[2].split(",")) <= _names(reply, "access-control-allow-headers")
    assert _names(reply, "access-control-max-age") == {"3600"}


@pytest.mark.parametrize("requested", [_GRPC_WEB, _REST], ids=["grpc-web", "rest"])
@pytest.mark.parametrize("origin", _FOREIGN)
async def test_preflight_of_a_foreign_page(
    site: Site, origin: str, requested: tuple[str, str, str]
) -> None:
    assert _allowed(await preflight(site, origin, requested, _HOST)) == {""}


@pytest.mark.parametrize("requested", [_GRPC_WEB, _REST], ids=["grpc-web", "rest"])
async def test_preflight_without_cors(site: Site, requested: tuple[str, str, str]) -> None:
    assert _allowed(await preflight(site, _ALLOWED[0], requested, USERS)) == {""}


@pytest.mark.parametrize("origin", [*_ALLOWED, *_FOREIGN])
async def test_grpc_web_call_of_a_page(site: Site, origin: str) -> None:
    web = WebClient(site.schema, site.gateway.port, _HOST)
    reply = await web.post("user.v1.UserService/GetUser", [b""], origin=origin)
    assert _allowed(reply) == {origin if origin in _ALLOWED else ""}
    assert web.outcome("user.v1.UserService/GetUser", reply).code == 3
    if origin in _ALLOWED:
        readable = _names(reply, "access-control-expose-headers")
        assert {"grpc-status", "grpc-message", "grpc-status-details-bin"} <= readable


@pytest.mark.parametrize("origin", [*_ALLOWED, *_FOREIGN])
async def test_rest_call_of_a_page(site: Site, origin: str) -> None:
    rest = RestClient(site.gateway.port, _HOST)
    reply = await rest.send("GetUser", {"id": "no-uuid"}, origin=origin)
    assert _allowed(reply) == {origin if origin in _ALLOWED else ""}
    assert reply.json()["code"] == 3


async def test_a_page_can_read_that_nothing_is_there(site: Site) -> None:
    headers = {"host": _HOST, "origin": _ALLOWED[0]}
    reply = await calls.http(site.gateway.port, "GET", "/v1/users/a/b", headers=headers)
    assert (reply.status, _allowed(reply)) == (404, {_ALLOWED[0]})
