"""Calls are split by the shares, each revision serves its own schema."""

from collections import Counter

import pytest

from tests.envoy.revisions.site import (
    API,
    CANDIDATE,
    NEW_API,
    NOBODY,
    PROTOCOLS,
    STABLE,
    Site,
)
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

CALLS = 10_000
ROUNDS = 3
"""One of a thousand rounds is further off by chance (3.3 standard deviations)."""


async def test_ten_percent_are_ten_percent(site: Site, protocol: str) -> None:
    await site.serve(site.revised(90, 10))
    found: Counter[str] = Counter()
    for _ in range(ROUNDS):
        found += await site.many(CALLS, protocol)
        share = found[CANDIDATE] / found.total()
        if 0.09 < share < 0.11:
            break
    assert found.keys() == {STABLE, CANDIDATE}
    assert 0.09 < share < 0.11


async def test_each_revision_has_its_own_json(site: Site) -> None:
    """The same field of the message, under the name that each of them gives it."""
    await site.serve(site.revised(50, 50))
    found = {str(await site.http("GET", "/v1/users/7")) for _ in range(40)}
    assert found == {str((200, {"id": STABLE})), str((200, {"fullName": CANDIDATE}))}


async def test_what_only_one_revision_has_goes_there(site: Site, protocol: str) -> None:
    await site.serve(site.revised(90, 10))
    for method, path, whose in (
        (f"{API}/OldMethod", "/v1/old/7", STABLE),
        (f"{API}/NewMethod", "/v1/users/7/new", CANDIDATE),
        (f"{NEW_API}/GetUser", "/v2/users/7", CANDIDATE),
    ):
        assert await site.many(40, protocol, method, path) == {whose: 40}


async def test_methods_that_no_descriptor_has_are_split(site: Site) -> None:
    await site.serve(site.revised(50, 50))
    assert (await site.many(60, "grpc", f"{API}/Secret")).keys() == {STABLE, CANDIDATE}


async def test_without_a_share_nothing_arrives(site: Site, protocol: str) -> None:
    """Also not what only this revision serves."""
    await site.serve(site.revised(100, 0))
    assert await site.many(40, protocol) == {STABLE: 40}
    for method, path in ((f"{API}/NewMethod", "/v1/users/7/new"), (f"{NEW_API}/X", "/v2/users/7")):
        assert await site.call(protocol, method, path) != CANDIDATE
    assert not site.servers[CANDIDATE].calls


async def test_verbs_of_a_path_are_those_of_all_revisions(site: Site) -> None:
    await site.serve(site.revised(50, 50))
    for path, allow in (("/v1/users/7/new", "GET"), ("/v1/old/7", "GET"), ("/v1/users", "POST")):
        found = {str(await site.http("PUT", path)) for _ in range(20)}
        assert found == {str((405, {"allow": allow}))}
    assert (await site.http("GET", "/v1/nothing"))[0] == 404


async def test_a_retry_stays_in_its_revision(site: Site, protocol: str) -> None:
    """Envoy chooses once for a call: each arrives twice at the same server."""
    await site.serve(site.revised(50, 50))
    for server in site.servers.values():
        server.fails_first = True
    found = await site.many(100, protocol, callers=4)  # within the budget of retries
    assert found[NOBODY] == 0
    for name, server in site.servers.items():
        assert server.calls["GetUser"] == 2 * found[name] > 0


async def test_the_access_log_names_the_cluster(site: Site, protocol: str) -> None:
    await site.serve(site.revised(50, 50))
    found = await site.many(20, protocol)
    lines = (await site.gateway.envoy.access_log(20))[-20:]
    assert Counter(line["upstream_cluster"] for line in lines) == {
        "tests/users": found[STABLE],
        "tests/users@0a1b2c3d": found[CANDIDATE],
    }


async def test_calls_are_counted_by_revision_with_their_times(site: Site) -> None:
    """Each once; in clusters that no other test has."""
    await site.serve(site.revised(50, 50, tag="next", name="counted"))
    stable, candidate = f"tests/counted@{STABLE}", f"tests/counted@{CANDIDATE}"
    found: Counter[str] = Counter()
    for protocol in PROTOCOLS:
        found += await site.many(40, protocol)
        found += await site.many(10, protocol, x_grpc_revision="next")

    async def counted() -> bool:
        text = await site.gateway.envoy.admin("/stats?filter=calls_total.*counted.*GetUser.*[.]0$")
        pairs = (line.rsplit(": ", 1) for line in text.splitlines())
        now = {name.split(".")[3]: int(value) for name, value in pairs}
        return now == {stable: found[STABLE], candidate: found[CANDIDATE]}

    async def timed() -> bool:
        text = await site.gateway.envoy.admin("/stats?usedonly&filter=call_milliseconds.*GetUser$")
        return {stable, candidate} <= {line.split(".")[3] for line in text.splitlines()}

    await until(counted, "every call is counted once")
    await until(timed, "the times of both revisions")
