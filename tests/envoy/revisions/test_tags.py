"""A tag chooses a revision, by header or by host; nothing else does."""

from typing import Any

import pytest

from tests.envoy.calls import rest
from tests.envoy.revisions.site import API, CANDIDATE, HOST, NEW_API, NOBODY, STABLE, Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]


async def test_a_tag_chooses_a_revision_whatever_its_share_is(site: Site, protocol: str) -> None:
    await site.serve(site.revised(100, 0, tag="next"))
    assert await site.many(40, protocol, x_grpc_revision="next") == {CANDIDATE: 40}
    assert "x-grpc-revision" not in site.servers[CANDIDATE].metadata
    assert await site.many(40, protocol) == {STABLE: 40}


async def test_what_only_a_tag_reaches(site: Site, protocol: str) -> None:
    """A method, a path and a service of a revision without a share."""
    await site.serve(site.revised(100, 0, tag="next"))
    for method, path in (
        (f"{API}/NewMethod", "/v1/users/7/new"),
        (f"{NEW_API}/GetUser", "/v2/users/7"),
    ):
        assert await site.call(protocol, method, path, x_grpc_revision="next") == CANDIDATE
        assert await site.call(protocol, method, path) != CANDIDATE
    assert await site.call(protocol, f"{NEW_API}/GetUser", "/v2/users/7") == NOBODY


async def test_a_tag_of_a_revision_that_lacks_the_path(site: Site) -> None:
    """Its own answer, not that of the revision that has it."""
    await site.serve(site.revised(100, 0, tag="next"))
    assert await site.call("rest", path="/v1/old/7", x_grpc_revision="next") == NOBODY
    assert await site.call("grpc", f"{API}/OldMethod", x_grpc_revision="next") == CANDIDATE


@pytest.mark.parametrize("value", ["other", "Next", "users-0a1b2c3d", "", "next,next"])
async def test_an_unknown_tag_is_ignored(site: Site, protocol: str, value: str) -> None:
    await site.serve(site.revised(100, 0, tag="next"))
    assert await site.many(20, protocol, x_grpc_revision=value) == {STABLE: 20}
    assert "x-grpc-revision" not in site.servers[STABLE].metadata


@pytest.mark.parametrize(
    "headers",
    [
        {"x-grpc-operator-scope": "~rest/tests~users@0a1b2c3d"},
        {"x-grpc-operator-cluster": "tests/users@0a1b2c3d"},
        {"x-envoy-decorator-operation": "tests/users@0a1b2c3d"},
        {"x-grpc-revision": CANDIDATE},
    ],
)
async def test_no_header_but_a_tag_chooses(
    site: Site, protocol: str, headers: dict[str, str]
) -> None:
    await site.serve(site.revised(100, 0))
    given: dict[str, Any] = {name.replace("-", "_"): value for name, value in headers.items()}
    assert await site.many(20, protocol, **given) == {STABLE: 20}


@pytest.mark.parametrize("path", ["/~rest/tests~users@0a1b2c3d", "/~split", "/~rest"])
async def test_no_path_is_a_scope(site: Site, path: str) -> None:
    await site.serve(site.revised(50, 50, tag="next"))
    assert (await site.http("GET", path))[0] == 404
    assert not any(server.calls for server in site.servers.values())


async def test_a_tag_has_hosts(site: Site, protocol: str) -> None:
    """On which its revision takes all calls, and only what it serves itself is served."""
    await site.serve(site.revised(100, 0, tag="next", tag_hosts=True))
    host = f"next---{HOST}"
    assert await site.many(20, protocol, host=host) == {CANDIDATE: 20}
    assert await site.call(protocol, f"{NEW_API}/GetUser", "/v2/users/7", host=host) == CANDIDATE
    assert await site.call(protocol, host=host, x_grpc_revision="other") == CANDIDATE
    assert "x-grpc-revision" not in site.servers[CANDIDATE].metadata
    assert await site.call("rest", path="/v1/old/7", host=host) == NOBODY
    assert await site.many(20, protocol) == {STABLE: 20}


async def test_a_tag_has_no_hosts_unless_enabled(site: Site, protocol: str) -> None:
    await site.serve(site.revised(100, 0, tag="next"))
    assert await site.call(protocol, host=f"next---{HOST}") == NOBODY


async def test_web_pages_may_send_a_tag(site: Site) -> None:
    """The preflight request does not have it, and gets its answer from the gateway."""
    cors = {"hostnames": [HOST], "cors": {"allowOrigins": ["https://app.test"]}}
    await site.serve(site.revised(90, 10, tag="next", gateway=cors))
    for path, verb in (
        ("/v1/users/7", "GET"),
        ("/v1/users/7/new", "GET"),
        (f"/{API}/GetUser", "POST"),
        (f"/{NEW_API}/GetUser", "POST"),
    ):
        headers = {
            "host": HOST,
            "origin": "https://app.test",
            "access-control-request-method": verb,
            "access-control-request-headers": "x-grpc-revision",
        }
        reply = await rest(site.gateway.port, "OPTIONS", path, headers=headers)
        assert reply.status == 200
        assert "x-grpc-revision" in reply.headers["Access-Control-Allow-Headers"].split(", ")
    assert not any(server.calls for server in site.servers.values())
