"""Shares change while calls run: none fails, and streams end when they end."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from tests.envoy.revisions.site import CANDIDATE, PROTOCOLS, STABLE, Revised, Site
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]


def only(service: Revised, name: str) -> Revised:
    """Returns a service with one revision alone."""
    (kept,) = (each for each in service.revisions if each.name == name)
    return replace(service, revisions=(replace(kept, percent=100, tag="", mirror=0),))


async def clusters(site: Site) -> set[str]:
    """Returns the names of Envoy's clusters."""
    dump = await site.gateway.envoy.config_dump("dynamic_active_clusters")
    return {each["cluster"]["name"] for each in dump["configs"]}


async def test_a_whole_rollout_under_calls(site: Site) -> None:
    """From one revision to another one, by every protocol, without a failed call."""
    before = only(site.base, STABLE)
    await site.serve(before)
    found: Counter[tuple[str, str]] = Counter()
    running = True

    async def caller(protocol: str) -> None:
        while running:
            found[protocol, await site.call(protocol)] += 1

    callers = [asyncio.create_task(caller(each)) for each in PROTOCOLS * 2]
    for share in (0, 5, 50, 100):
        await site.serve(site.revised(100 - share, share, tag="next", mirror=share // 2))
    await site.serve(only(site.base, CANDIDATE))
    at_the_end = found.copy()

    async def all_moved() -> bool:
        return all(found[each, CANDIDATE] > at_the_end[each, CANDIDATE] + 5 for each in PROTOCOLS)

    await until(all_moved, "everybody calls the new revision")
    running = False
    await asyncio.gather(*callers)
    assert {who for _, who in found} == {STABLE, CANDIDATE}


async def test_streams_survive_their_revision(site: Site) -> None:
    """By gRPC and REST: weight 0, and the removal of its routes and cluster."""
    await site.serve(only(site.base, STABLE))
    call = site.watch()
    first = await call.read()
    rest = asyncio.create_task(site.http("GET", "/v1/watch/7"))

    async def both_run() -> bool:
        return site.servers[STABLE].calls["Watch"] == 2

    await until(both_run, "both streams run")
    await site.serve(site.revised(0, 100))
    await site.serve(only(site.base, CANDIDATE))

    async def is_gone() -> bool:
        return "tests/users" not in await clusters(site)

    await until(is_gone, "the cluster is gone")
    assert await site.call("grpc") == CANDIDATE
    site.servers[STABLE].end.set()
    assert await call.read() == first
    assert (await rest)[1] == [{"id": STABLE}, {"id": STABLE}]


async def test_a_revision_that_drains_keeps_its_cluster(site: Site) -> None:
    """Without a share, a tag and mirrored calls: so that its calls are still reported."""
    await site.serve(site.revised(0, 100))
    assert "tests/users" in await clusters(site)
    assert await site.many(20, "grpc") == {CANDIDATE: 20}
