"""Calls of the user service through a gateway by each protocol, with comparable answers."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import grpc
import urllib3
from google.protobuf import empty_pb2, json_format
from google.protobuf.message import Message

from tests.load.protocols import split_frames
from tests.load.schema import serialize
from tests.user_rules import REST, STREAMED_ANSWERS, STREAMED_REQUESTS
from tests.waiting import HANG
from user.v1 import user_pb2

SERVICE = "user.v1.UserService"

REPLIES: dict[str, type[Message]] = {
    "GetUser": user_pb2.GetUserResponse,
    "CreateUser": user_pb2.CreateUserResponse,
    "UpdateUser": user_pb2.UpdateUserResponse,
    "DeleteUser": empty_pb2.Empty,
    "ListUsers": user_pb2.User,
    "BatchCreateUsers": user_pb2.BatchCreateUsersResponse,
    "SyncUsers": user_pb2.SyncUsersResponse,
}


@dataclass(frozen=True)
class Answer:
    """What a call brought: messages, the gRPC status code, and what the status says."""

    messages: tuple[Any, ...]
    code: int
    text: str


class Client(Protocol):
    """Calls one method."""

    def call(self, method: str, *requests: Message) -> Answer:
        """Sends all request messages and returns all answers."""

    def close(self) -> None:
        """Closes the connection."""


class GrpcClient:
    """gRPC over HTTP/2.

    Args:
        port: Port on loopback that leads to the gateway.
        host: Host to ask for.
        ca: File with the certificate to trust; without one it speaks plaintext.
    """

    def __init__(self, port: int, host: str, ca: Path | None = None) -> None:
        target = f"127.0.0.1:{port}"
        options: list[tuple[str, Any]] = [
            ("grpc.default_authority", host),
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if ca is None:
            self._channel = grpc.insecure_channel(target, options)
        else:
            options.append(("grpc.ssl_target_name_override", host))
            credentials = grpc.ssl_channel_credentials(ca.read_bytes())
            self._channel = grpc.secure_channel(target, credentials, options)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def call(self, method: str, *requests: Message) -> Answer:
        """Sends all request messages and returns all answers."""
        reply: Any = REPLIES[method]
        call = self._channel.stream_stream(f"/{SERVICE}/{method}", serialize, reply.FromString)
        messages: list[Any] = []
        try:
            messages += call(iter(requests), timeout=HANG)
        except grpc.RpcError as error:
            code: Any = error.code()
            text = str(error.details())
            return Answer(tuple(messages), code.value[0], text)
        return Answer(tuple(messages), 0, "")


class _HttpClient:
    def __init__(self, port: int, host: str, ca: Path | None = None) -> None:
        tls: dict[str, Any] = {
            "ca_certs": str(ca),
            "server_hostname": host,
            "assert_hostname": host,
        }
        kind = urllib3.HTTPConnectionPool if ca is None else urllib3.HTTPSConnectionPool
        options = {} if ca is None else tls
        self._pool = kind("127.0.0.1", port, retries=False, timeout=HANG, **options)
        self._headers = {"host": host}

    def close(self) -> None:
        """Closes the connection."""
        self._pool.close()

    def request(
        self, verb: str, path: str, body: bytes | None = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Makes a request; underscores in the names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._pool.request(verb, path, body=body, headers={**self._headers, **named})


class GrpcWebClient(_HttpClient):
    """gRPC-Web over HTTP/1.1; a stream of requests is sent as one body."""

    def call(self, method: str, *requests: Message) -> Answer:
        """Sends all request messages and returns all answers."""
        body = b"".join(
            struct.pack(">BI", 0, len(data)) + data for data in map(serialize, requests)
        )
        content = "application/grpc-web+proto"
        response = self.request(
            "POST", f"/{SERVICE}/{method}", body, content_type=content, x_grpc_web="1"
        )
        frames, trailers = split_frames(response.data)
        status = {**{k.lower(): v for k, v in response.headers.items()}, **trailers}
        assert "grpc-status" in status, (response.status, response.headers, response.data)
        reply: Any = REPLIES[method]
        messages = tuple(reply.FromString(frame) for frame in frames)
        return Answer(messages, int(status["grpc-status"]), unquote(status.get("grpc-message", "")))


class RestClient(_HttpClient):
    """REST/JSON over HTTP/1.1; streams are JSON arrays."""

    def call(self, method: str, *requests: Message) -> Answer:
        """Sends all request messages and returns all answers."""
        verb, path = REST[method]
        fields = [json_format.MessageToDict(request) for request in requests]
        body: Any = fields if method in STREAMED_REQUESTS else fields[0]
        if "{id}" in path:
            path = path.format(id=body.pop("id"))
        if verb in ("GET", "DELETE"):
            query = "&".join(f"{name}={value}" for name, value in body.items())
            response = self.request(verb, f"{path}?{query}" if query else path)
        else:
            text = json.dumps(body).encode()
            response = self.request(verb, path, text, content_type="application/json")
        return _rest_answer(method, response.status, json.loads(response.data or b"{}"))


def _rest_answer(method: str, status: int, body: Any) -> Answer:
    if status != 200:
        return Answer((), body["code"], body["message"])
    found: Sequence[Any] = body if method in STREAMED_ANSWERS else [body]
    messages = tuple(json_format.ParseDict(entry, REPLIES[method]()) for entry in found)
    return Answer(messages, 0, "")
