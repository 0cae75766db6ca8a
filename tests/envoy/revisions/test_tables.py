"""Calls are split wherever a route may be: beside other services, below prefixes, on any host."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from grpc_operator.gateway.ir import Listener
from grpc_service_kit.testing.postgres import free_port
from tests.envoy.protocols.gateway import running_gateway
from tests.envoy.revisions.site import (
    API,
    CANDIDATE,
    HOST,
    NEW_API,
    NOBODY,
    STABLE,
    Revised,
    Revision,
    Server,
    Site,
    running,
)
from tests.envoy.upstream import serving
from tests.golden.gateway.descriptors import descriptor

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_OTHER = descriptor(
    {
        "order.v1.Orders": {
            "List": {"rest": ["GET /v1/users/{id}/orders"]},
            "Get": {"rest": ["GET /v1/old/{id}/orders"]},
        }
    }
)
"""Paths below those of the users, so that these have an expression each."""


@pytest_asyncio.fixture(loop_scope="package")
async def orders() -> AsyncIterator[Revised]:
    """Another service on every host of the users."""
    async with serving(Server("orders")) as port:
        yield Revised((Revision("orders", _OTHER, port, 100),), {"hostnames": ["*"]}, name="orders")


async def check(site: Site, protocol: str, **options: Any) -> None:
    """Fails unless calls arrive by shares, by tags, and at the only revision with a method."""
    assert (await site.many(60, protocol, **options)).keys() == {STABLE, CANDIDATE}
    for method, path, whose in (
        (f"{API}/OldMethod", "/v1/old/7", STABLE),
        (f"{API}/NewMethod", "/v1/users/7/new", CANDIDATE),
        (f"{NEW_API}/GetUser", "/v2/users/7", CANDIDATE),
    ):
        assert await site.many(30, protocol, method, path, **options) == {whose: 30}
    tagged = await site.many(20, protocol, x_grpc_revision="next", **options)
    assert tagged == {CANDIDATE: 20}


async def test_beside_a_service_with_paths_below(
    site: Site, orders: Revised, protocol: str
) -> None:
    same_hosts = replace(orders, gateway={"hostnames": [HOST]})
    await site.serve(site.revised(50, 50, tag="next"), same_hosts)
    await check(site, protocol)
    assert await site.call("rest", path="/v1/users/7/orders") == "orders"
    assert await site.call("rest", path="/v1/old/7/orders") == "orders"
    assert await site.http("PUT", "/v1/users/7/new") == (405, {"allow": "GET"})


async def test_beside_a_service_on_every_host(site: Site, orders: Revised, protocol: str) -> None:
    await site.serve(site.revised(50, 50, tag="next"), orders)
    await check(site, protocol)
    assert await site.call("rest", path="/v1/users/7/orders") == "orders"


@pytest.mark.parametrize("beside", [False, True])
async def test_below_a_claimed_prefix(
    site: Site, orders: Revised, protocol: str, *, beside: bool
) -> None:
    """Also where a service on every host has paths below it, which nobody reaches there."""
    gateway = {"hostnames": [HOST], "rest": {"prefixes": ["/v1/users", "/v1/old"]}}
    other = [orders] if beside else []
    await site.serve(site.revised(50, 50, tag="next", gateway=gateway), *other)
    await check(site, protocol)
    assert await site.call("rest", path="/v1/users/a/b/c") == NOBODY


@pytest.mark.parametrize("hostname", ["*.users.test", "*"])
async def test_on_wildcard_hosts(site: Site, protocol: str, hostname: str) -> None:
    gateway = {"hostnames": [hostname]}
    await site.serve(site.revised(50, 50, tag="next", gateway=gateway))
    await check(site, protocol, host="any.users.test")


async def test_at_several_listeners(protocol: str) -> None:
    """One of them for a host of the tag alone."""
    async with running_gateway() as gateway, running(gateway) as site:
        ports = [free_port(), free_port()]
        gateway.ir = replace(
            gateway.ir,
            listeners=(
                Listener("http", ports[0]),
                Listener("preview", ports[1], f"next---{HOST}"),
            ),
        )
        gateway.port = ports[0]
        await site.serve(site.revised(50, 50, tag="next", tag_hosts=True))
        await gateway.envoy.ready()
        await check(site, protocol)
        gateway.port = ports[1]
        assert await site.call(protocol, host=HOST) == NOBODY
        host = f"next---{HOST}"
        found: Any = await site.many(20, protocol, host=host)
        assert found == {CANDIDATE: 20}
