"""A server compresses though its client did not accept it: INTERNAL, and nothing unreadable."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio

from tests.envoy import calls
from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.gateway import Exposed, running_gateway
from user.v1 import user_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_INTERNAL = 13
_LONG = user_pb2.User(name="x" * 1000).SerializeToString()
_SHORT = user_pb2.User(name="x").SerializeToString()
"""Compression would not make it shorter, so it is sent as it is."""

_PREFIX = "/user.v1.UserService/"
_UNARY, _CLIENT_STREAM, _SERVER_STREAM = "GetUser", "BatchCreateUsers", "ListUsers"
_METHODS = [_UNARY, _CLIENT_STREAM, _SERVER_STREAM, "SyncUsers"]
_KINDS = ["application/grpc-web+proto", "application/grpc-web-text"]
_REST = {_UNARY: "/v1/users/x", _SERVER_STREAM: "/v1/users"}
_NOT_ACCEPTED = [{}, {"grpc-accept-encoding": "identity"}, {"grpc-accept-encoding": "deflate,br"}]
_ACCEPTED = [{"grpc-accept-encoding": "gzip"}, {"grpc-accept-encoding": "br, gzip"}]


class _Compressing(grpc.GenericRpcHandler):
    """Answers every call with one message, or a stream with two."""

    def __init__(self) -> None:
        self.messages = [_LONG]

        async def answer(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
            async for _ in requests:
                pass
            for message in self.messages:
                yield message

        self._handler: Any = grpc.stream_stream_rpc_method_handler(answer)

    def service(self, _: grpc.HandlerCallDetails) -> Any:
        """Returns the same handler for each method."""
        return self._handler


@dataclass(frozen=True)
class _Compressed:
    port: int
    server: _Compressing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def compressed() -> AsyncIterator[_Compressed]:
    handler = _Compressing()
    server = grpc.aio.server(compression=grpc.Compression.Gzip)
    server.add_generic_rpc_handlers([handler])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with running_gateway() as made:
        await made.serve(Exposed("users", user_descriptor(), (port,)))
        yield _Compressed(made.port, handler)
    await server.stop(None)


async def _web(
    compressed: _Compressed, method: str, kind: str, headers: dict[str, str]
) -> calls.GrpcReply:
    body = b"AAAAAAA=" if "-text" in kind else calls.frame(b"")
    sent = {"content-type": kind, "accept": kind, **headers}
    path = f"{_PREFIX}{method}"
    return calls.web_reply(await calls.http(compressed.port, "POST", path, body=body, headers=sent))


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("headers", _NOT_ACCEPTED)
async def test_grpc_web_that_does_not_accept_it(
    compressed: _Compressed, method: str, kind: str, headers: dict[str, str]
) -> None:
    compressed.server.messages = [_LONG]
    reply = await _web(compressed, method, kind, headers)
    assert (reply.code, reply.messages) == (_INTERNAL, ())
    assert "compressed" in reply.message


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("headers", _ACCEPTED)
async def test_grpc_web_that_accepts_it(
    compressed: _Compressed, method: str, kind: str, headers: dict[str, str]
) -> None:
    compressed.server.messages = [_LONG]
    reply = await _web(compressed, method, kind, headers)
    assert reply.code == 0
    assert [gzip.decompress(message) for message in reply.messages] == [_LONG]


@pytest.mark.parametrize("method", [_UNARY, _CLIENT_STREAM])
@pytest.mark.parametrize("kind", _KINDS)
async def test_a_short_response_is_not_compressed(
    compressed: _Compressed, method: str, kind: str
) -> None:
    """The header of the response says gzip, but the message is readable."""
    compressed.server.messages = [_SHORT]
    reply = await _web(compressed, method, kind, {})
    assert (reply.code, reply.messages) == (0, (_SHORT,))


@pytest.mark.parametrize("method", _REST)
@pytest.mark.parametrize("headers", [*_NOT_ACCEPTED, *_ACCEPTED])
async def test_rest(compressed: _Compressed, method: str, headers: dict[str, str]) -> None:
    """Whatever a client says: REST has no compression of gRPC. Nothing is cut after a 200."""
    compressed.server.messages = [_LONG, _LONG] if method == _SERVER_STREAM else [_LONG]
    reply = await calls.http(compressed.port, "GET", _REST[method], headers=headers)
    assert (reply.status, reply.json()["code"]) == (500, _INTERNAL)
    assert reply.json()["message"]


async def test_a_client_that_sends_the_mark_of_the_gateway(compressed: _Compressed) -> None:
    compressed.server.messages = [_SHORT]
    headers = {"x-grpc-operator-compressed": "1"}
    reply = await calls.http(compressed.port, "GET", _REST[_UNARY], headers=headers)
    assert reply.status == 200
