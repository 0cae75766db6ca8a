"""Headers by which a client could try to steer the gateway."""

import time

import grpc
import pytest

from tests.envoy import calls
from tests.envoy.protocols.backends import Metadata, Silent, user_descriptor
from tests.envoy.protocols.clients import GrpcClient, RestClient, WebClient
from tests.envoy.protocols.conftest import USERS, Site
from tests.envoy.protocols.gateway import PROBE_HOST, Exposed, running_gateway
from tests.envoy.protocols.test_exposure import HEALTH
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_SCOPES = [
    "http/v1",
    "http/grpc.health.v1.Health",
    "http/user.v1.UserService",
    "own/tests/only-rest",
    "/",
    "",
    "x" * 2000,
]
_STEERING = {
    "x_grpc_operator_cluster": "tests/only-grpc",
    "x_envoy_upstream_rq_timeout_ms": "1",
    "x_envoy_max_retries": "100",
    "x_envoy_retry_on": "5xx",
    "x_envoy_upstream_alt_stat_name": "made.up",
    "x_envoy_original_path": "/grpc.health.v1.Health/Check",
    "x_envoy_decorator_operation": "made.up",
}


@pytest.mark.parametrize("scope", _SCOPES)
async def test_a_scope_of_the_clients_choice(site: Site, protocol: str, scope: str) -> None:
    client = site.client(protocol)
    plain = await client.call("GetUser", {"id": "x"})
    assert plain.code == 3
    assert await client.call("GetUser", {"id": "x"}, x_grpc_operator_scope=scope) == plain


async def test_other_headers(site: Site, protocol: str) -> None:
    client = site.client(protocol)
    plain = await client.call("GetUser", {"id": "x"})
    assert await client.call("GetUser", {"id": "x"}, **_STEERING) == plain


_SPOKEN_FOR = {
    "forwarded": "for=10.0.0.1",
    "x_forwarded_host": "admin.example.com",
    "x_forwarded_port": "443",
    "x_forwarded_prefix": "/admin",
    "x_forwarded_server": "admin",
    "x_real_ip": "10.0.0.1",
    "x_envoy_external_address": "10.0.0.1",
    "x_envoy_internal": "true",
    "x_envoy_attempt_count": "1",
    "x_envoy_peer_metadata": "AA",
    "x_grpc_operator_scope": "http/v1",
    "grpc_accept_encoding": "gzip",
}
"""What only proxies say; and a REST client that would switch on compression."""


async def test_servers_see_none_of_it(site: Site) -> None:
    """Neither what a client says, nor what the gateway says to itself."""
    metadata = Metadata()
    async with serving(metadata) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for client in (
            GrpcClient(site.schema, made.port, USERS),
            WebClient(site.schema, made.port, USERS),
            RestClient(made.port, USERS),
        ):
            outcome = await client.call("GetUser", {"id": "x"}, **_STEERING, **_SPOKEN_FOR)
            assert outcome.code == 0, client
    assert len(metadata.seen) == 3
    for seen in metadata.seen:
        passed = set(seen) - {"user-agent", "accept", "accept-encoding", "x-grpc-web"}
        # Of gRPC-Web, Envoy says itself which compression it reads.
        assert passed - {"grpc-accept-encoding"} == {
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-request-id",
        }
    assert "grpc-accept-encoding" not in metadata.seen[-1]


@pytest.mark.parametrize(("hops", "address"), [(0, "127.0.0.1"), (1, "3.3.3.3"), (2, "2.2.2.2")])
async def test_addresses_count_from_the_proxies_that_are_trusted(hops: int, address: str) -> None:
    """A client can make up everything left of what they append."""
    async with running_gateway(trusted_hops=hops, access_log=True) as made:
        headers = {"host": USERS, "x-forwarded-for": "1.1.1.1, 2.2.2.2, 3.3.3.3"}
        await made.serve(Exposed("noting", user_descriptor(), ()))
        await calls.http(made.port, "GET", "/v1/users/x", headers=headers)
        (line,) = await made.envoy.access_log(1)
    assert line["downstream_address"] == address


async def test_a_long_query_is_no_metadata(site: Site) -> None:
    """Servers limit metadata: those in Python by default to 8 KiB, and what is more by chance."""
    metadata = Metadata()
    async with serving(metadata) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for size in (9_000, 17_000, 40_000):
            path = f"/v1/users?page_token={'a' * size}"
            assert (await calls.http(made.port, "GET", path)).status == 200
    assert len(metadata.seen) == 3


async def test_the_access_log_has_the_path_of_rest_calls(site: Site) -> None:
    """Though the transcoder has replaced it, and no server sees it; without the query."""
    async with serving(Metadata()) as upstream, running_gateway(access_log=True) as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        await calls.http(made.port, "GET", "/v1/users/x?secret=y")
        await calls.http(made.port, "GET", "/v1/users/x")
        await GrpcClient(site.schema, made.port, USERS).call("GetUser", {"id": "x"})
        lines = await made.envoy.access_log(3)
    assert [(line["method"], line["path"], line["grpc_method"]) for line in lines[1:]] == [
        ("GET", "/v1/users/x", "/user.v1.UserService/GetUser"),
        ("POST", "/user.v1.UserService/GetUser", "/user.v1.UserService/GetUser"),
    ]
    assert lines[0]["path"] == "/v1/users/x"


async def test_the_probe_needs_its_host_name(site: Site) -> None:
    """Under a host name that is known, the header that names a service does nothing."""
    steering = [("x-grpc-operator-cluster", "tests/users")]
    codes = {}
    for host in (USERS, "only-grpc.test", PROBE_HOST):
        options = [("grpc.default_authority", host)]
        target = f"127.0.0.1:{site.gateway.port}"
        async with grpc.aio.insecure_channel(target, options=options) as channel:
            codes[host] = (await calls.grpc_call(channel, HEALTH, b"", metadata=steering)).code
    assert codes == {USERS: 12, "only-grpc.test": 12, PROBE_HOST: 0}


async def test_the_probe_reaches_nothing_but_health(site: Site) -> None:
    headers = {"host": PROBE_HOST, "x-grpc-operator-cluster": "tests/users"}
    for path in ("/v1/users", "/user.v1.UserService/GetUser", "/grpc.health.v1.Health/Watch"):
        reply = await calls.http(site.gateway.port, "POST", path, body=b"", headers=headers)
        assert reply.status == 404, path


async def test_a_timeout_of_the_clients_choice_changes_nothing(site: Site) -> None:
    async with serving(Silent()) as upstream, running_gateway() as made:
        gateway = {"timeouts": {"request": "500ms"}}
        await made.serve(Exposed("silent", user_descriptor(), (upstream,), gateway))
        start = time.monotonic()
        headers = {"x_envoy_upstream_rq_timeout_ms": "1", "x_envoy_expected_rq_timeout_ms": "1"}
        outcome = await RestClient(made.port, USERS).call("GetUser", {"id": "x"}, **headers)
        assert outcome.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        assert time.monotonic() - start > 0.1
