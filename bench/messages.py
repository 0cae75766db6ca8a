"""The call that is measured: GetUser of the user service, in each protocol."""

import json
import struct
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from grpc_health.v1 import health_pb2

from bench import h2
from user.v1 import user_pb2

USER = "6f1c2f0e-5a5f-4f0b-9a6e-0d6f3f6f0a11"
PROTOCOLS = ("gRPC", "gRPC-Web", "REST")

_STATUS_NAMES = (bytes.fromhex("9acac8b21234da8f"), b"grpc-status")
"""``grpc-status`` in the Huffman code of RFC 7541, and plain."""
_ZERO = (b"\x01\x30", b"\x81\x07")
"""The value ``0``, plain and in Huffman code."""


@dataclass(frozen=True)
class Target:
    """Where the measured service is found.

    Attributes:
        service: Full gRPC name.
        path: REST collection.
        host: Host name (``:authority``).
    """

    service: str = "user.v1.UserService"
    path: str = "/v1/users"
    host: str = "bench.example.com"


@dataclass(frozen=True)
class Call:
    """One request, written once.

    Attributes:
        head: Header block.
        body: Empty for none.
    """

    protocol: str
    head: bytes
    body: bytes


def framed(message: bytes) -> bytes:
    """Returns a message with gRPC's five bytes in front."""
    return struct.pack(">BI", 0, len(message)) + message


def response() -> bytes:
    """Returns the GetUserResponse that the upstream sends."""
    return _response().SerializeToString()


def answers() -> dict[str, bytes]:
    """Returns what the upstream answers with, as ``traffic/upstream.go`` wants it."""
    serving = health_pb2.HealthCheckResponse(status="SERVING").SerializeToString()
    return {
        "Head": h2.STATUS_200 + h2.headers({"content-type": "application/grpc"}),
        "Trailers": h2.headers({"grpc-status": "0"}),
        "Body": framed(response()),
        "Empty": framed(b""),
        "Serving": framed(serving),
    }


def request() -> bytes:
    """Returns the GetUserRequest."""
    return user_pb2.GetUserRequest(id=USER).SerializeToString()


def call(protocol: str, target: Target, metadata: dict[str, str] | None = None) -> Call:
    """Returns the call in a protocol, over HTTP/2; metadata is for gRPC only."""
    common = {":scheme": "http", ":authority": target.host}
    if protocol == "REST":
        head = {":method": "GET", ":path": f"{target.path}/{USER}", **common}
        return Call(protocol, h2.headers(head), b"")
    grpc = {":method": "POST", ":path": f"/{target.service}/GetUser", **common}
    if protocol == "gRPC":
        head = grpc | {"content-type": "application/grpc", "te": "trailers"} | (metadata or {})
    else:
        head = grpc | {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    return Call(protocol, h2.headers(head), framed(request()))


def is_right(protocol: str, blocks: list[bytes], body: bytes) -> bool:
    """Whether an answer is the one expected.

    Args:
        protocol: One of ``PROTOCOLS``.
        blocks: Header blocks: the headers, then the trailers if there are any.
        body: All of it.
    """
    if not blocks or not _is_200(blocks[0]):
        return False
    if protocol == "REST":
        return is_user(body)
    sent = framed(response())
    if protocol == "gRPC":
        return body == sent and len(blocks) > 1 and _is_ok(blocks[1])
    return body.startswith(sent) and b"grpc-status:0\r\n" in body[len(sent) :]


def is_user(body: bytes) -> bool:
    """Whether a JSON text is the user."""
    wanted: Any = json_format.MessageToDict(_response())
    try:
        return bool(json.loads(body) == wanted)
    except ValueError:
        return False


def _response() -> user_pb2.GetUserResponse:
    user = user_pb2.User(
        id=USER, email="ada@example.com", name="Ada Lovelace", role=user_pb2.USER_ROLE_MEMBER
    )
    user.created_at.seconds = user.updated_at.seconds = 1_700_000_000
    return user_pb2.GetUserResponse(user=user)


def _is_200(block: bytes) -> bool:
    # A change of the table's size may come first (RFC 7541, 6.3): 001xxxxx.
    return block.lstrip(bytes(range(0x20, 0x40))).startswith(h2.STATUS_200)


def _is_ok(block: bytes) -> bool:
    return any(name + zero in block for name in _STATUS_NAMES for zero in _ZERO)
