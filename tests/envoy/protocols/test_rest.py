"""What is REST's alone: sizes, automatic mapping, formats of streams."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.envoy import calls
from tests.envoy.protocols.clients import RestClient
from tests.envoy.protocols.conftest import USERS, Site
from tests.envoy.protocols.test_seven_rpcs import created, person

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_LARGE = "x" * 2000


async def test_a_request_that_is_too_large(site: Site) -> None:
    rest = RestClient(site.gateway.port, "small.test")
    reply = await rest.send("CreateUser", person(_LARGE))
    assert (reply.status, reply.json()["code"]) == (413, 8)
    assert reply.headers["Content-Type"].startswith("application/json")


async def test_a_body_of_unknown_length_must_be_json(site: Site) -> None:
    """Nothing says then that a body follows but its type."""

    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps(person()).encode()

    url = f"http://127.0.0.1:{site.gateway.port}/v1/users"
    for content_type, status in (("text/plain", 415), ("application/json", 200)):
        headers = {"host": USERS, "content-type": content_type}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=chunks(), headers=headers) as answer,
        ):
            assert answer.status == status


async def test_a_stream_of_any_size(site: Site) -> None:
    """Only each message of it is limited."""
    for _ in range(10):
        await created(site)
    direct = await site.client("direct").call("ListUsers", {"pageSize": 8})
    outcome = await site.client("rest", "small.test").call("ListUsers", {"pageSize": 8})
    assert len(json.dumps(outcome.answers)) > 1024
    assert outcome == direct


async def test_the_limit_is_no_limit_of_grpc(site: Site) -> None:
    outcome = await site.client("grpc", "small.test").call("CreateUser", person(_LARGE))
    assert outcome.code == 3
    assert outcome.message.startswith("name: ")


async def test_auto_mapping(site: Site) -> None:
    user = await created(site)
    body = json.dumps({"id": user["id"]}).encode()
    headers = {"host": "auto.test", "content-type": "application/json"}
    path = "/user.v1.UserService/GetUser"
    reply = await calls.http(site.gateway.port, "POST", path, body=body, headers=headers)
    assert (reply.status, reply.json()) == (200, {"user": user})
    for protocol in ("grpc", "grpc-web", "rest"):
        outcome = await site.client(protocol, "auto.test").call("GetUser", {"id": user["id"]})
        assert outcome.answers == ({"user": user},)


async def test_auto_mapping_is_off_by_default(site: Site) -> None:
    headers = {"host": "users.test", "content-type": "application/json"}
    path = "/user.v1.UserService/GetUser"
    reply = await calls.http(site.gateway.port, "POST", path, body=b"{}", headers=headers)
    assert reply.status == 415, reply
    assert reply.json()["code"] == 3


async def test_stream_formats(site: Site) -> None:
    for name in ("one", "two"):
        await created(site, name)
    direct = await site.client("direct").call("ListUsers", {"pageSize": 2})
    found = {}
    for host in ("lines.test", "events.test"):
        reply = await RestClient(site.gateway.port, host).send("ListUsers", {"pageSize": 2})
        found[host] = (reply.headers["Content-Type"], reply.body.decode())
    content_type, lines = found["lines.test"]
    assert tuple(json.loads(line) for line in lines.splitlines()) == direct.answers
    assert content_type == "application/json"
    content_type, events = found["events.test"]
    parts = [event.removeprefix("data: ") for event in events.split("\n\n") if event]
    assert tuple(json.loads(part) for part in parts) == direct.answers
    assert content_type == "text/event-stream"
