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


async def test_servers_see_none_of_it(site: Site) -> None:
    metadata = Metadata()
    async with serving(metadata) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        steering = {**_STEERING, "x_grpc_operator_scope": "http/v1"}
        for client in (
            GrpcClient(site.schema, made.port, USERS),
            WebClient(site.schema, made.port, USERS),
            RestClient(made.port, USERS),
        ):
            outcome = await client.call("GetUser", {"id": "x"}, **steering)
            assert outcome.code == 0, client
    assert len(metadata.seen) == 3
    hostile = {name.replace("_", "-") for name in steering}
    for seen in metadata.seen:
        # The transcoder itself says which path it has replaced.
        assert seen.pop("x-envoy-original-path", "/v1/users/x") == "/v1/users/x"
        assert not hostile & set(seen)


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
        assert time.monotonic() - start >= 0.5
