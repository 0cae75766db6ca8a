"""A client that is recognized stays at its revision, by every protocol."""

from collections import Counter

import pytest

from grpc_operator.gateway.ir import Sticky
from tests.envoy.revisions.site import CANDIDATE, PROTOCOLS, STABLE, Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_CLIENTS = 200
STICKY = pytest.mark.parametrize(
    ("sticky", "header", "value"),
    [
        (Sticky(header="x-user"), "x_user", "user-{}"),
        (Sticky(cookie="session"), "cookie", "a=1; session=user-{}; b=2"),
    ],
)


@STICKY
async def test_a_client_has_the_same_revision_by_every_protocol(
    site: Site, sticky: Sticky, header: str, value: str
) -> None:
    """The same hash of the same value."""
    await site.serve(site.revised(50, 50, sticky=sticky))
    found: Counter[str] = Counter()
    for number in range(40):
        given = {header: value.format(number)}
        revisions = {
            await site.call(protocol, **given) for protocol in (*PROTOCOLS, "grpc-web-text") * 2
        }
        assert len(revisions) == 1
        found.update(revisions)
    assert found.keys() == {STABLE, CANDIDATE}


async def test_clients_move_to_the_new_revision_only(site: Site, protocol: str) -> None:
    """A larger share takes clients of the stable revision along, and gives none back."""
    moved: set[int] = set()
    for share in (10, 25, 50, 100):
        await site.serve(site.revised(100 - share, share, sticky=Sticky(header="x-user")))
        now = {
            number
            for number in range(_CLIENTS)
            if await site.call(protocol, x_user=f"user-{number}") == CANDIDATE
        }
        assert moved <= now
        moved = now
    assert len(moved) == _CLIENTS


async def test_clients_that_are_not_recognized_are_split(site: Site, protocol: str) -> None:
    await site.serve(site.revised(50, 50, sticky=Sticky(cookie="session")))
    found = await site.many(60, protocol, cookie="other=1")
    assert found.keys() == {STABLE, CANDIDATE}


async def test_a_tag_goes_before_stickiness(site: Site, protocol: str) -> None:
    await site.serve(site.revised(50, 50, tag="next", sticky=Sticky(header="x-user")))
    for number in range(20):
        given = {"x_user": f"user-{number}", "x_grpc_revision": "next"}
        assert await site.call(protocol, **given) == CANDIDATE
