"""One client for each protocol; every call ends in the same kind of outcome."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

import grpc

from tests.envoy import calls
from tests.envoy.calls import HttpReply, Schema
from tests.user_rules import REST, STREAMED_ANSWERS, STREAMED_REQUESTS
from tests.waiting import HANG

Json = dict[str, Any]

TRAILERS = 0x80
"""Flag of the gRPC-Web frame that carries the trailers (grpc/grpc, PROTOCOL-WEB.md)."""

HTTP_STATUS = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429,
    9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
"""HTTP status by gRPC status code (google/rpc/code.proto)."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        code: gRPC status code number.
        answers: Messages as JSON.
    """

    code: int
    message: str = ""
    answers: tuple[Any, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    trailers: Mapping[str, str] = field(default_factory=dict, compare=False)


class Client(Protocol):
    """Calls methods of user.v1.UserService."""

    async def call(self, method: str, *requests: Json, **headers: str) -> Outcome:
        """Calls a method by its short name; underscores in header names become dashes."""


def _headers(host: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}


@dataclass(frozen=True)
class GrpcClient:
    """gRPC over HTTP/2."""

    schema: Schema
    port: int
    host: str
    service: str = "user.v1.UserService"
    timeout: float = HANG

    async def call(self, method: str, *requests: Json, **headers: str) -> Outcome:
        """Makes the call on a connection of its own."""
        name = f"{self.service}/{method}"
        sent = [self.schema.request(name, request) for request in requests]
        metadata = [(key.replace("_", "-"), value) for key, value in headers.items()]
        options = [("grpc.default_authority", self.host)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options=options) as channel:
            reply = await calls.grpc_call(
                channel, name, *sent, timeout=self.timeout, metadata=metadata
            )
        answers = tuple(self.schema.replies(name, reply))
        return Outcome(reply.code, reply.message, answers, reply.headers, reply.trailers)


@dataclass(frozen=True)
class WebClient:
    """gRPC-Web over HTTP/1.1: the whole request at once, several messages too."""

    schema: Schema
    port: int
    host: str
    text: bool = False
    service: str = "user.v1.UserService"

    async def call(self, method: str, *requests: Json, **headers: str) -> Outcome:
        """Makes the call."""
        name = f"{self.service}/{method}"
        messages = [self.schema.request(name, request) for request in requests]
        return self.outcome(name, await self.post(name, messages, **headers))

    async def post(self, name: str, messages: list[bytes], **headers: str) -> HttpReply:
        """Sends serialised messages to a method that the schema need not know."""
        kind = "application/grpc-web-text" if self.text else "application/grpc-web+proto"
        body = b"".join(calls.frame(message) for message in messages)
        sent = {"content-type": kind, "accept": kind, "x-grpc-web": "1"}
        sent |= _headers(self.host, headers)
        body = base64.b64encode(body) if self.text else body
        return await calls.http(self.port, "POST", f"/{name}", body=body, headers=sent)

    def outcome(self, name: str, reply: HttpReply) -> Outcome:
        """Reads an answer; a call that ends before its first message has no body."""
        headers = {key.lower(): value for key, value in reply.headers.items()}
        content = headers.get("content-type", "")
        assert content.startswith("application/grpc-web"), f"not gRPC-Web: {reply}"
        parts = calls.frames(_decoded(reply.body) if "-text" in content else reply.body)
        trailers = _fields(b"".join(data for flags, data in parts if flags & TRAILERS))
        status = trailers or headers
        found = tuple(data for flags, data in parts if not flags & TRAILERS)
        grpc_reply = calls.GrpcReply(int(status["grpc-status"]), "", found)
        answers = tuple(self.schema.replies(name, grpc_reply)) if found else ()
        message = unquote(status.get("grpc-message", ""))
        return Outcome(grpc_reply.code, message, answers, headers, trailers)


def _decoded(body: bytes) -> bytes:
    """Decodes base64 of which every part may have padding of its own."""
    return b"".join(base64.b64decode(body[at : at + 4]) for at in range(0, len(body), 4))


def _fields(block: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.decode().split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True)
class RestClient:
    """REST over HTTP/1.1, by the annotations of user.proto."""

    port: int
    host: str

    async def call(self, method: str, *requests: Json, **headers: str) -> Outcome:
        """Makes the call; checks that the HTTP status is the one of the gRPC status."""
        reply = await self.send(method, *requests, **headers)
        answer = reply.json()
        if reply.status == HTTP_STATUS[0]:
            many = answer if method in STREAMED_ANSWERS else [answer]
            return Outcome(0, "", tuple(many), reply.headers)
        assert reply.headers["Content-Type"].startswith("application/json")
        assert reply.status == HTTP_STATUS[answer["code"]], reply
        return Outcome(answer["code"], answer.get("message", ""), (), reply.headers)

    async def send(self, method: str, *requests: Json, **headers: str) -> HttpReply:
        """Returns the HTTP answer."""
        verb, template = REST[method]
        first = requests[0] if requests else {}
        path = template.format(**first)
        rest = {name: value for name, value in first.items() if f"{{{name}}}" not in template}
        body: Any = list(requests) if method in STREAMED_REQUESTS else rest
        sent = _headers(self.host, headers)
        if verb in ("GET", "DELETE"):
            query = "&".join(f"{name}={value}" for name, value in rest.items())
            target = f"{path}?{query}" if query else path
            return await calls.http(self.port, verb, target, headers=sent)
        sent.setdefault("content-type", "application/json")
        body = json.dumps(body).encode()
        return await calls.http(self.port, verb, path, body=body, headers=sent)
