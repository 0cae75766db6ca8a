"""Every RPC of the user service by every protocol, with the same answers."""

from typing import Any
from uuid import uuid4

import pytest

from tests.envoy.protocols.clients import Client, Json, Outcome
from tests.envoy.protocols.conftest import Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]


def person(name: str = "Ada") -> Json:
    """Returns a CreateUserRequest that no test has sent yet."""
    return {"email": f"{uuid4()}@example.com", "name": name}


async def created(site: Site, name: str = "Ada") -> Any:
    """Returns a user that the service itself has stored."""
    outcome = await site.client("direct").call("CreateUser", person(name))
    return outcome.answers[0]["user"]


def _lasting(user: Json) -> Json:
    """Returns a user without what the server chooses."""
    return {
        key: value for key, value in user.items() if key not in ("id", "createdAt", "updatedAt")
    }


async def test_get_user(site: Site, client: Client) -> None:
    user = await created(site, "Zoë <&> \N{SNOWMAN}")
    assert await client.call("GetUser", {"id": user["id"]}) == Outcome(0, "", ({"user": user},))


async def test_create_user(site: Site, client: Client) -> None:
    wanted = person() | {"role": "USER_ROLE_ADMIN"}
    outcome = await client.call("CreateUser", wanted)
    user = outcome.answers[0]["user"]
    assert (outcome.code, _lasting(user)) == (0, wanted)
    assert await site.client("direct").call("GetUser", {"id": user["id"]}) == Outcome(
        0, "", ({"user": user},)
    )


async def test_update_user(site: Site, client: Client) -> None:
    user = await created(site)
    outcome = await client.call("UpdateUser", {"id": user["id"], "name": "Grace"})
    after = outcome.answers[0]["user"]
    assert (outcome.code, _lasting(after)) == (0, _lasting(user) | {"name": "Grace"})


async def test_delete_user(site: Site, client: Client) -> None:
    user = await created(site)
    assert await client.call("DeleteUser", {"id": user["id"]}) == Outcome(0, "", ({},))
    assert (await client.call("GetUser", {"id": user["id"]})).code == 5


async def test_list_users(site: Site, client: Client) -> None:
    for name in ("one", "two", "three"):
        await created(site, name)
    request = {"pageSize": 3}
    direct = await site.client("direct").call("ListUsers", request)
    assert len(direct.answers) == 3
    assert await client.call("ListUsers", request) == direct


async def test_next_page_token(site: Site, client: Client, protocol: str) -> None:
    """Trailing metadata reaches gRPC and gRPC-Web; REST has no place for it."""
    for name in ("one", "two"):
        await created(site, name)
    outcome = await client.call("ListUsers", {"pageSize": 1})
    found = {name.lower(): value for name, value in outcome.trailers.items()}
    assert ("next-page-token" in found) == (protocol != "rest")


async def test_batch_create_users(site: Site, client: Client) -> None:
    wanted = [person("one"), person("two")]
    outcome = await client.call("BatchCreateUsers", *wanted)
    answer = outcome.answers[0]
    assert (outcome.code, answer["createdCount"]) == (0, 2)
    expected = [request | {"role": "USER_ROLE_MEMBER"} for request in wanted]
    assert [_lasting(user) for user in answer["users"]] == expected


async def test_sync_users(site: Site, client: Client) -> None:
    user = await created(site)
    changed, new = {"email": user["email"], "name": "Grace"}, person("new")
    outcome = await client.call("SyncUsers", {"user": changed}, {"user": new}, {"user": changed})
    assert outcome.code == 0
    assert [answer["status"] for answer in outcome.answers] == [
        "SYNC_STATUS_UPDATED",
        "SYNC_STATUS_CREATED",
        "SYNC_STATUS_UNCHANGED",
    ]
    assert [answer["user"]["name"] for answer in outcome.answers] == ["Grace", "new", "Grace"]
