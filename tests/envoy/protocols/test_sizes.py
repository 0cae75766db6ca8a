"""Sizes of JSON requests: ``maxMessageBytes`` is true to the byte, however the body arrives."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2

from tests.envoy import calls
from tests.envoy.protocols.backends import AnyStream, user_descriptor
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import says, serving
from user.v1 import user_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_KIB, _MIB = 1 << 10, 1 << 20
_LIMITS = (_KIB, 4 * _MIB, 64 * _MIB)
_PIECE = 16 * _KIB


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def gateway() -> AsyncIterator[Gateway]:
    """One service for each limit; its server takes messages of any size."""
    descriptor = user_descriptor()
    answer = user_pb2.GetUserResponse(user=user_pb2.User(name="x" * 2 * _KIB)).SerializeToString()
    async with (
        serving(AnyStream()) as upstream,
        serving(says(answer)) as large,
        running_gateway(memory="4Gi") as made,
    ):
        await made.serve(
            *(
                Exposed(
                    f"up-to-{limit}",
                    descriptor,
                    (upstream,),
                    {"hostnames": [_host(limit)], "maxMessageBytes": limit},
                )
                for limit in _LIMITS
            ),
            *(
                Exposed(
                    f"answers-{limit}",
                    _without_streams(descriptor),
                    (large,),
                    {"hostnames": [f"answers-{limit}.test"], "maxMessageBytes": limit},
                )
                for limit in (2 * _KIB, 3 * _KIB)
            ),
        )
        yield made


@pytest.mark.parametrize("limit", _LIMITS)
@pytest.mark.parametrize("arrives", ["with its length", "in pieces"])
async def test_the_limit_is_true_to_the_byte(gateway: Gateway, limit: int, arrives: str) -> None:
    """Envoy's transcoder counts what it has not read yet: in pieces, it took 50 MB for 4 MiB."""
    for size, status in ((limit, 200), (limit + 1, 413)):
        user = _user(size)
        body = user if arrives == "with its length" else _pieces(user)
        assert await _post(gateway, limit, "/v1/users", body) == status, size


async def test_the_limit_of_answers(gateway: Gateway) -> None:
    for limit, status, code in ((2 * _KIB, 500, 13), (3 * _KIB, 200, None)):
        headers = {"host": f"answers-{limit}.test"}
        reply = await calls.http(gateway.port, "GET", "/v1/users/one", headers=headers)
        assert (reply.status, reply.json().get("code")) == (status, code)


async def test_nothing_is_held_beyond_the_limit(gateway: Gateway) -> None:
    """The answer comes when the limit is passed; nobody waits for the rest of the body."""

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        while True:
            yield b"x" * _PIECE

    assert await _post(gateway, _KIB, "/v1/users", endless()) == 413


@pytest.mark.parametrize("path", ["/v1/users:batchCreate", "/v1/users:sync"])
async def test_a_stream_of_requests_may_be_longer(gateway: Gateway, path: str) -> None:
    """The limit is one of messages: a stream is never held until it is complete."""

    async def messages() -> AsyncIterator[bytes]:
        for index in range(20):
            yield (b"," if index else b"[") + _user(200)
        yield b"]"

    assert await _post(gateway, _KIB, path, messages()) == 200


@pytest.mark.parametrize("path", ["/v1/users:batchCreate", "/v1/users:sync"])
@pytest.mark.parametrize("text", ["x", "}]", "[{", '\\"', "\\\\", '\\"}],[{\\"'], ids=repr)
async def test_each_message_of_a_stream_is_limited(gateway: Gateway, path: str, text: str) -> None:
    """Envoy's transcoder held one of 547 MB; whatever is in a string ends no message."""
    one, many = _message(text, 900), 40
    stream = b"[" + b", ".join([one] * many) + b"]"
    assert await _post(gateway, _KIB, path, _pieces(stream)) == 200
    for large in (_message(text, 1100), _message(text, 4 * _PIECE)):
        for body in (b"[" + large + b"]", b"[" + one + b"," + large + b"]", b"[" + large):
            assert await _post(gateway, _KIB, path, _pieces(body)) == 413, len(body)


async def test_an_object_in_a_message_does_not_end_it(gateway: Gateway) -> None:
    message = b'{"user":{"name":"' + b"x" * 600 + b'"}' + b" " * 600 + b"}"
    for limit, status in ((_KIB, 413), (4 * _MIB, 200)):
        body = _pieces(b"[" + message + b"]")
        assert await _post(gateway, limit, "/v1/users:sync", body) == status


async def test_a_path_beside_that_of_a_stream_is_limited(gateway: Gateway) -> None:
    """Only the very path of a stream passes: what is almost it is held like everything else."""
    for path in ("/v1/users", "/v1/users:batchCreat", "/v1/users:batchCreate/1"):
        assert await _post(gateway, _KIB, path, _pieces(_user(4 * _PIECE))) == 413, path


def _host(limit: int) -> str:
    return f"up-to-{limit}.test"


def _without_streams(descriptor: bytes) -> bytes:
    """Returns user.proto with its unary methods only."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor)
    for service in (service for file in files.file for service in file.service):
        unary = [m for m in service.method if not m.client_streaming and not m.server_streaming]
        del service.method[:]
        service.method.extend(unary)
    return files.SerializeToString()


def _user(size: int) -> bytes:
    """Returns a CreateUserRequest as JSON of exactly this size."""
    empty = b'{"name":""}'
    return b'{"name":"' + b"x" * (size - len(empty)) + b'"}'


def _message(text: str, size: int) -> bytes:
    """Returns a message of about this size, with an escaped text in it over and over."""
    return b'{"name":"' + (text * (size // len(text))).encode() + b'"}'


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


async def _post(gateway: Gateway, limit: int, path: str, body: bytes | AsyncIterator[bytes]) -> int:
    url, headers = f"http://127.0.0.1:{gateway.port}{path}", {"content-type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers={**headers, "host": _host(limit)}) as reply,
    ):
        await reply.read()
        return reply.status
