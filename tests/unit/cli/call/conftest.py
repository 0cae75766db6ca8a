"""A server with every kind of method, and errors with details of known and unknown type."""

import threading
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection

from grpc_operator.cli.call.schema import Schema
from grpc_operator.cli.protos import compiled

PROTO = Path(__file__).parent / "things.proto"
ADDED = {
    "size": "9007199254740993",
    "sizes": {"a": "18446744073709551615"},
    "wrapped": ["7"],
    "extra": {"@type": "type.googleapis.com/things.v1.Thing", "size": "3"},
}
"""What the server adds to each thing."""


class Things(grpc.GenericRpcHandler):
    """The service, by the bytes of its messages.

    Attributes:
        ended: Set when the client has ended an endless stream.
    """

    def __init__(self) -> None:
        self.schema = Schema(compiled([PROTO], [PROTO.parent]))
        self.ended = threading.Event()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Returns the handler of a method."""
        kinds: dict[str, Any] = {
            "GetThing": grpc.unary_unary_rpc_method_handler(self._get),
            "WatchThings": grpc.unary_stream_rpc_method_handler(self._watch),
            "PutThings": grpc.stream_unary_rpc_method_handler(self._put),
            "EchoThings": grpc.stream_stream_rpc_method_handler(self._echo),
            "Fail": grpc.unary_unary_rpc_method_handler(self._fail),
            "Hang": grpc.unary_unary_rpc_method_handler(self._hang),
        }
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        return kinds.get(method) if service == "things.v1.Things" else None

    def _thing(self, request: bytes, **fields: Any) -> bytes:
        called = self.schema.method("GetThing")
        sent: Any = self.schema.read(request, called.request)
        kind: Any = self.schema.method("EchoThings").request
        thing: Any = self.schema.parsed("{}", kind, "")
        thing.name = sent.name
        return self.schema.from_value(fields, thing).SerializeToString()

    def _get(self, request: bytes, context: Any) -> bytes:
        context.send_initial_metadata((("x-first", "1"), ("x-data-bin", b"\0\1")))
        return self._thing(request, **ADDED)

    def _watch(self, request: bytes, context: Any) -> Iterator[bytes]:
        context.add_callback(self.ended.set)
        yield self._thing(request, small=1)
        yield self._thing(request, small=2)
        self.ended.wait()

    def _put(self, requests: Iterator[bytes], _: Any) -> bytes:
        return self._thing(b"", small=len(list(requests)))

    def _echo(self, requests: Iterator[bytes], _: Any) -> Iterator[bytes]:
        yield from requests

    def _fail(self, _: bytes, context: Any) -> bytes:
        known = any_pb2.Any()
        known.Pack(error_details_pb2.ErrorInfo(reason="BROKEN", domain="d"))
        unknown = any_pb2.Any(type_url="type.googleapis.com/other.v1.Detail", value=b"\x08\x01")
        status = status_pb2.Status(code=9, message="not \x1b[31mnow", details=[known, unknown])
        context.set_trailing_metadata(
            (("grpc-status-details-bin", status.SerializeToString()), ("x-last", "2"))
        )
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, status.message)
        raise AssertionError

    def _hang(self, _: bytes, context: Any) -> bytes:
        context.add_callback(self.ended.set)
        self.ended.wait()
        return b""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: HOST:PORT.
        things: Its service.
    """

    address: str
    things: Things


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback, without reflection."""
    with serving() as started:
        yield started


@pytest.fixture
def reflecting() -> Iterator[Server]:
    """A server on loopback, with reflection."""
    pool = descriptor_pool.DescriptorPool()
    data = compiled([PROTO], [PROTO.parent])
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.Add(file)
    made = grpc.server(futures.ThreadPoolExecutor(4))
    reflection.enable_server_reflection(("things.v1.Things", reflection.SERVICE_NAME), made, pool)
    with serving(made) as started:
        yield started


class serving:  # noqa: N801 - used as a function
    """Starts a server, and stops it."""

    def __init__(
        self, server: grpc.Server | None = None, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        self._server = server or grpc.server(futures.ThreadPoolExecutor(4))
        self._credentials = credentials

    def __enter__(self) -> Server:
        things = Things()
        self._things = things
        self._server.add_generic_rpc_handlers((things,))
        if self._credentials is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            port = self._server.add_secure_port("127.0.0.1:0", self._credentials)
        self._server.start()
        return Server(f"127.0.0.1:{port}", things)

    def __exit__(self, *_: object) -> None:
        self._things.ended.set()
        self._server.stop(None).wait()
