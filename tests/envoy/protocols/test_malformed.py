"""Requests that a server cannot parse fail alone, though all clients share its connections.

gRPC's core keeps what it could not parse with the name of the header, for the connection: so the
others here send the same headers, well-formed.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.envoy import calls, raw_grpc
from tests.envoy.protocols import malformed
from tests.envoy.protocols.backends import Metadata, user_descriptor
from tests.envoy.protocols.conftest import USERS
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.protocols.malformed import METHOD, TIMEOUTS, Headers
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class Shared:
    """A server behind the gateway, and the port of that."""

    port: int
    server: Metadata


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Shared]:
    """One server; every proxy has one connection to it."""
    server = Metadata()
    async with serving(server) as upstream, running_gateway(headers=malformed.HEADERS) as made:
        await made.serve(
            Exposed("users", user_descriptor(), (upstream,), {"hostnames": [USERS]}),
            Exposed(
                "trusting",
                user_descriptor(),
                (upstream,),
                {"hostnames": ["trusting.test"], "metadataValidation": "Disabled"},
            ),
        )
        yield Shared(made.port, server)


@pytest.mark.parametrize("protocol", malformed.PROTOCOLS)
async def test_only_the_malformed_call_fails(shared: Shared, protocol: str) -> None:
    await malformed.assert_alone(shared.port, protocol)


@pytest.mark.parametrize("protocol", malformed.PROTOCOLS)
@pytest.mark.parametrize(
    "headers",
    [
        [("grpc-timeout", "99999999H")],
        [("grpc-timeout", "00000001H")],
        [("grpc-timeout", "99999999n")],
        [("x-token-bin", "YQ")],
        [("x-token-bin", "YQ==")],
        [("x-token-bin", "YWJj"), ("x-token-bin", "ZGVm")],
        [("x-token-bin", "")],
        [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "nonsense, gzip")],
        [("grpc-previous-rpc-attempts", "3")],
    ],
)
async def test_what_is_well_formed_arrives(shared: Shared, protocol: str, headers: Headers) -> None:
    shared.server.seen.clear()
    assert await malformed.call(shared.port, protocol, headers) == 0
    assert len(shared.server.seen) == 1


async def test_a_malformed_deadline_of_a_unary_call_is_refused(shared: Shared) -> None:
    """Envoy would replace it by the timeout of the method; it did when it selected the route."""
    shared.server.seen.clear()
    for value in TIMEOUTS:
        headers = [("grpc-timeout", value)]
        reply = await raw_grpc.call(shared.port, METHOD, headers, host=USERS)
        assert reply.code == 3, value
    assert shared.server.seen == []


async def test_servers_do_not_see_what_the_gateway_has_noted(shared: Shared) -> None:
    for protocol in malformed.PROTOCOLS:
        shared.server.seen.clear()
        headers = [("grpc-timeout", "9S"), ("x-grpc-operator-malformed", "malformed grpc-timeout")]
        assert await malformed.call(shared.port, protocol, headers) == 0
        (seen,) = shared.server.seen
        assert [name for name in seen if "operator" in name or "x-envoy" in name] == []


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "X"])
async def test_grpc_is_post(shared: Shared, verb: str) -> None:
    """Servers reset such a stream, which clients would take for a reason to try again."""
    reply = await raw_grpc.call(shared.port, METHOD, host=USERS, verb=verb)
    assert reply.code == 12


async def test_validation_can_be_disabled(shared: Shared) -> None:
    """For servers that know another compression; REST has none in any case."""
    headers = [("host", "trusting.test"), ("x-token-bin", "$")]
    reply = await calls.grpc_web(shared.port, METHOD, b"", headers=headers)
    assert (reply.code, "illegal base64" in reply.message) == (13, True)
    rest = await calls.http(shared.port, "GET", "/v1/users/x", headers=headers)
    assert rest.status == 400
