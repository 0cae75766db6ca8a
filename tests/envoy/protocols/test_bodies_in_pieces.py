"""However the body of a request arrives, the server gets what was sent, or the client an error."""

import asyncio
import base64
import itertools
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from grpc_service_kit.testing.postgres import free_port
from tests.envoy import calls
from tests.envoy.protocols.backends import Recorder, user_descriptor
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from user.v1 import user_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_PAUSE = 0.01
"""Seconds between two pieces, so that a proxy reads them one by one."""

_UNARY, _CLIENT_STREAM, _BIDIRECTIONAL = "GetUser", "BatchCreateUsers", "SyncUsers"
_KINDS = [_UNARY, _CLIENT_STREAM, _BIDIRECTIONAL]
_HOSTS = ["up.test", "half.test", "eager.test"]
_OK, _INVALID, _UNAVAILABLE = 0, 3, 14
_AT_A_TIME = 8
"""Fewer than the retries that a proxy makes at a time."""


@dataclass(frozen=True)
class Recorded:
    """A server that notes what arrives, behind the gateway."""

    gateway: Gateway
    server: Recorder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded() -> AsyncIterator[Recorded]:
    """One server, alone, beside one that refuses connections, and with more retries."""
    server, descriptor = Recorder(), user_descriptor()
    codes = ["UNAVAILABLE", "INTERNAL", "ABORTED", "UNKNOWN", "RESOURCE_EXHAUSTED"]
    eager = {"hostnames": ["eager.test"], "retry": {"attempts": 5, "codes": codes}}
    async with serving(server) as upstream, running_gateway() as made:
        await made.serve(
            Exposed("up", descriptor, (upstream,), {"hostnames": ["up.test"]}),
            Exposed("half", descriptor, (upstream, free_port()), {"hostnames": ["half.test"]}),
            Exposed("eager", descriptor, (upstream,), eager),
        )
        yield Recorded(made, server)


def cuts(length: int) -> list[tuple[int, ...]]:
    """Returns where a body is cut: at each byte, at some pairs, into single bytes."""
    pairs = [*itertools.combinations(range(1, length), 2)]
    chosen = random.Random(length).sample(pairs, min(len(pairs), 40))  # noqa: S311 - no secret
    return [*((at,) for at in range(1, length)), *chosen, tuple(range(1, length))]


async def _pieces(body: bytes, at: Sequence[int]) -> AsyncIterator[bytes]:
    for start, end in itertools.pairwise((0, *at, len(body))):
        yield body[start:end]
        await asyncio.sleep(_PAUSE)


async def _web(
    recorded: Recorded, call: str, messages: list[bytes], at: Sequence[int]
) -> tuple[int, list[bytes]]:
    """Returns the status of a call and what the server got.

    Args:
        recorded: Where it is sent.
        call: Its host, method and content type.
        messages: Requests.
        at: Where the body is cut.
    """
    host, method, kind = call.split()
    call = f"{call} {at}"
    body = b"".join(calls.frame(message) for message in messages)
    if "-text" in kind:
        body = base64.b64encode(body)
    headers = {"host": host, "content-type": kind, "accept": kind, "x-call": call}
    path = f"/user.v1.UserService/{method}"
    reply = await calls.http(
        recorded.gateway.port, "POST", path, body=_pieces(body, at), headers=headers
    )
    found = calls.web_reply(reply)
    return found.code, recorded.server.seen.pop(call, [])


@pytest.mark.parametrize("method", _KINDS)
@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("kind", ["application/grpc-web-text", "application/grpc-web+proto"])
async def test_grpc_web_however_it_is_cut(
    recorded: Recorded, host: str, method: str, kind: str
) -> None:
    """Text is decoded as it arrives: what the proxy keeps for a retry must not come twice."""
    message = user_pb2.GetUserRequest(id="abcdefg").SerializeToString()
    messages = [message] if method == _UNARY else [message, message[:-3], message]
    length = sum(len(calls.frame(each)) for each in messages)
    length = (length + 2) // 3 * 4 if "-text" in kind else length
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one(at: Sequence[int]) -> tuple[int, list[bytes]]:
        async with limit:
            return await _web(recorded, f"{host} {method} {kind}", messages, at)

    found = await asyncio.gather(*(one(at) for at in cuts(length)))

    wrong = [each for each in found if each not in ((_OK, messages), (_UNAVAILABLE, []))]
    assert wrong == []
    assert (_OK, messages) in found
    if host != "half.test" or "-text" not in kind:
        assert (_UNAVAILABLE, []) not in found


def _rest_request(method: str) -> tuple[list[bytes], Any, str]:
    """Returns the messages of a call, and its JSON and path."""
    user = {"email": "d@e.f", "name": "abc"}
    message = user_pb2.CreateUserRequest(email=user["email"], name=user["name"]).SerializeToString()
    if method == _CLIENT_STREAM:
        return [message, message], [user, user], "/v1/users:batchCreate"
    if method == _BIDIRECTIONAL:
        entry = user_pb2.SyncUsersRequest(user=user_pb2.User(name="abc")).SerializeToString()
        return [entry, entry], 2 * [{"user": {"name": "abc"}}], "/v1/users:sync"
    return [message], user, "/v1/users"


@pytest.mark.parametrize("method", [_CLIENT_STREAM, _BIDIRECTIONAL, "CreateUser"])
@pytest.mark.parametrize("host", _HOSTS)
async def test_rest_however_it_is_cut(recorded: Recorded, host: str, method: str) -> None:
    expected, value, path = _rest_request(method)
    body = json.dumps(value).encode()
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one(at: Sequence[int]) -> tuple[int, list[bytes]]:
        call = f"{host} {method} rest {at}"
        headers = {"host": host, "content-type": "application/json", "x-call": call}
        async with limit:
            reply = await calls.http(
                recorded.gateway.port, "POST", path, body=_pieces(body, at), headers=headers
            )
        return reply.status, recorded.server.seen.pop(call, [])

    found = await asyncio.gather(*(one(at) for at in cuts(len(body))))
    assert [each for each in found if each != (200, expected)] == []


@pytest.mark.parametrize("ending", [b"Y", b"YW", b"YWJ", b"$$$$", b"=YWJ", b"YQ==YQ=="])
async def test_what_is_not_base64_is_refused(recorded: Recorded, ending: bytes) -> None:
    """The call ends before any server could answer it, with the status of a client's mistake."""
    kind = "application/grpc-web-text"
    whole = base64.b64encode(calls.frame(b"abcd"))
    for at in ([len(whole)], [4], [len(whole) - 2]):
        headers = {"host": "up.test", "content-type": kind}
        path = f"/user.v1.UserService/{_UNARY}"
        reply = await calls.http(
            recorded.gateway.port, "POST", path, body=_pieces(whole + ending, at), headers=headers
        )
        assert calls.web_reply(reply).code in (_INVALID, 13)
