"""Calls that change nothing are also sent to the new revision, whose responses nobody gets."""

import asyncio

import pytest

from tests.envoy.revisions.site import API, CANDIDATE, STABLE, Site
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_CREATE = f"{API}/CreateUser"


async def mirrored(site: Site, count: int) -> None:
    """Waits until the candidate has had so many calls."""

    async def all_there() -> bool:
        return site.servers[CANDIDATE].calls["GetUser"] >= count

    await until(all_there, "every call was mirrored")
    assert site.servers[CANDIDATE].calls["GetUser"] == count


async def test_every_call_is_mirrored(site: Site, protocol: str) -> None:
    """With its metadata; what it ends with makes no difference."""
    await site.serve(site.revised(100, 0, mirror=100))
    site.servers[CANDIDATE].fails_first = True
    assert await site.many(40, protocol) == {STABLE: 40}
    await mirrored(site, 40)
    assert site.servers[CANDIDATE].metadata["x-call"]


async def test_half_of_the_calls_are_mirrored(site: Site, protocol: str) -> None:
    await site.serve(site.revised(100, 0, mirror=50))
    assert await site.many(400, protocol) == {STABLE: 400}
    await asyncio.sleep(0)
    # Further off than 100 of 400 is by chance a matter of 10 standard deviations.
    assert 100 < site.servers[CANDIDATE].calls["GetUser"] < 300


async def test_only_calls_that_change_nothing_are_mirrored(site: Site) -> None:
    await site.serve(site.revised(100, 0, mirror=100))
    for _ in range(10):
        assert await site.call("grpc", _CREATE) == STABLE
        assert await site.call("grpc-web", _CREATE) == STABLE
        assert (await site.http("POST", "/v1/users"))[0] == 200
        assert await site.call("grpc", f"{API}/OldMethod") == STABLE
    assert await site.call("grpc") == STABLE
    await mirrored(site, 1)
    assert site.servers[CANDIDATE].calls.keys() == {"GetUser"}
    assert site.servers[STABLE].calls["CreateUser"] == 30


async def test_streams_are_not_mirrored(site: Site) -> None:
    await site.serve(site.revised(100, 0, mirror=100))
    site.servers[STABLE].end.set()
    call = site.watch()
    assert len([message async for message in call]) == 2
    assert await site.call("grpc") == STABLE
    await mirrored(site, 1)
    assert site.servers[CANDIDATE].calls.keys() == {"GetUser"}


async def test_calls_of_the_new_revision_itself_are_not_sent_twice(
    site: Site, protocol: str
) -> None:
    """Its share is of other random numbers than the mirrored calls."""
    await site.serve(site.revised(60, 40, mirror=60))
    found = await site.many(200, protocol)
    await mirrored(site, 200)
    assert 0 < found[CANDIDATE] < 200
