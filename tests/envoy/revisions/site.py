"""Revisions of a service, and calls by every protocol that say which of them has responded."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import grpc

from grpc_operator.api import GrpcService
from grpc_operator.descriptor import Descriptor
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.ir import Attachment, Endpoint, Sticky, cluster_of
from grpc_operator.gateway.split import Share, split
from grpc_operator.resources import service_key
from tests.envoy.calls import frame, frames
from tests.envoy.protocols.gateway import DOMAIN, NAMESPACE, Gateway, endpoints
from tests.envoy.upstream import serving
from tests.golden.gateway.descriptors import descriptor

STABLE, CANDIDATE = "users", "users-0a1b2c3d"
API, NEW_API = "user.v1.UserService", "user.v2.UserService"
HOST = "users.test"
PROTOCOLS = ("grpc", "grpc-web", "rest")
NOBODY = "nobody"
"""Stands for a response of the gateway itself."""

_GET = {"rest": ["GET /v1/users/{id}"], "read_only": True}
ONE = descriptor(
    {
        API: {
            "GetUser": _GET,
            "CreateUser": {"rest": ["POST /v1/users"]},
            "Watch": {"kind": "ServerStreaming", "read_only": True, "rest": ["GET /v1/watch/{id}"]},
            "OldMethod": {"rest": ["GET /v1/old/{id}"]},
        }
    }
)
TWO = descriptor(
    {
        API: {
            "GetUser": {**_GET, "rest": ["GET /v1/users/{full_name}"]},
            "CreateUser": {"rest": ["POST /v1/users"]},
            "Watch": {"kind": "ServerStreaming", "read_only": True, "rest": ["GET /v1/watch/{id}"]},
            "NewMethod": {"rest": ["GET /v1/users/{id}/new"]},
        },
        NEW_API: {"GetUser": {"rest": ["GET /v2/users/{id}"]}},
    }
)
"""The field of the path is called otherwise; one method is gone, another and a service are new."""


class Server(grpc.GenericRpcHandler):
    """A revision: every response has its name as the first field.

    Attributes:
        calls: Number of calls by method.
        metadata: Of the last call.
        fails_first: Whether a call fails when it arrives for the first time.
        end: Ends the streams.
    """

    def __init__(self, name: str) -> None:
        self.calls: Counter[str] = Counter()
        self.metadata: Mapping[str, str] = {}
        self.fails_first = False
        self._seen: set[str] = set()
        self.end = asyncio.Event()
        self._message = bytes([10, len(name)]) + name.encode()

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns a handler of its kind for each method."""
        method = details.method.rpartition("/")[2]

        async def unary(_: bytes, context: Any) -> bytes:
            self._note(method, context)
            call = self.metadata.get("x-call", "")
            if self.fails_first and call not in self._seen:
                self._seen.add(call)
                await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            return self._message

        async def stream(_: bytes, context: Any) -> AsyncIterator[bytes]:
            self._note(method, context)
            yield self._message
            await self.end.wait()
            yield self._message

        if method == "Watch":
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)

    def _note(self, method: str, context: Any) -> None:
        self.calls[method] += 1
        self.metadata = dict(context.invocation_metadata())


@dataclass(frozen=True)
class Revision:
    """A revision of a test.

    Attributes:
        name: Its name.
        descriptor: What it serves.
        port: Of its server.
        percent: Its share.
    """

    name: str
    descriptor: Descriptor
    port: int
    percent: int
    tag: str = ""
    mirror: int = 0


@dataclass(frozen=True)
class Revised:
    """A GrpcService with revisions, the stable one first.

    Attributes:
        gateway: ``spec.gateway``.
    """

    revisions: tuple[Revision, ...]
    gateway: Mapping[str, Any] = field(default_factory=lambda: {"hostnames": [HOST]})
    sticky: Sticky | None = None
    tag_hosts: bool = False
    name: str = "users"

    def attachment(self) -> Attachment:
        """Returns what it requests of the gateway."""
        shares = [
            Share(each.name, self._attached(each), each.percent, each.tag, each.mirror)
            for each in self.revisions
        ]
        return split(shares, self.sticky, tag_hosts=self.tag_hosts)

    def addresses(self) -> dict[str, tuple[Endpoint, ...]]:
        """Returns the endpoints by cluster."""
        key = service_key(NAMESPACE, self.name)
        return {cluster_of(key, each.name): endpoints(each.port) for each in self.revisions}

    def weights(self, *percents: int) -> "Revised":
        """Returns the same with other shares."""
        revisions = zip(self.revisions, percents, strict=True)
        return replace(
            self, revisions=tuple(replace(each, percent=share) for each, share in revisions)
        )

    def _attached(self, revision: Revision) -> Attachment:
        metadata = {"name": self.name, "namespace": NAMESPACE, "uid": "1", "generation": 1}
        spec = {"image": "none", "gateway": dict(self.gateway)}
        service = GrpcService.parse({"metadata": metadata, "spec": spec})
        return attach(service, revision.descriptor, DOMAIN)


@dataclass
class Site:
    """A gateway in front of two servers.

    Attributes:
        servers: By revision.
        base: The service with all calls at the stable revision.
    """

    gateway: Gateway
    servers: dict[str, Server]
    base: Revised
    _session: aiohttp.ClientSession
    _channels: dict[tuple[str, str], grpc.aio.Channel] = field(default_factory=dict)

    async def serve(self, *services: Revised) -> None:
        """Serves exactly these services."""
        await self.gateway.serve(*services)

    def revised(
        self, stable: int, candidate: int, *, tag: str = "", mirror: int = 0, **options: Any
    ) -> Revised:
        """Returns the service with these shares."""
        first, second = self.base.revisions
        return replace(
            self.base,
            revisions=(
                replace(first, percent=stable),
                replace(second, percent=candidate, tag=tag, mirror=mirror),
            ),
            **options,
        )

    async def call(
        self,
        protocol: str,
        method: str = f"{API}/GetUser",
        path: str = "/v1/users/7",
        *,
        host: str = HOST,
        **headers: str,
    ) -> str:
        """Returns who has responded to a call: a revision, or nobody."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if protocol == "rest":
            reply = await self.http("GET", path, host=host, **sent)
            return next(iter(reply[1].values())) if reply[0] == 200 else NOBODY
        message = await (
            self._grpc(method, host, sent)
            if protocol == "grpc"
            else self._web(method, host, sent, text=protocol == "grpc-web-text")
        )
        return message[2:].decode() if message else NOBODY

    async def http(
        self, verb: str, path: str, *, host: str = HOST, **headers: str
    ) -> tuple[int, Any]:
        """Returns status and JSON of an HTTP request; its headers where there is no JSON."""
        url = f"http://127.0.0.1:{self.gateway.port}{path}"
        async with self._session.request(verb, url, headers={"host": host, **headers}) as answer:
            if answer.content_type != "application/json":
                return answer.status, {name.lower(): text for name, text in answer.headers.items()}
            return answer.status, {"allow": answer.headers["Allow"]} if (
                answer.status == 405
            ) else await answer.json()

    async def _grpc(self, method: str, host: str, sent: Mapping[str, str]) -> bytes:
        call: Any = self.channel(host).unary_unary(f"/{method}")
        try:
            message: bytes = await call(b"", metadata=tuple(sent.items()))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return b""
        return message

    async def _web(self, method: str, host: str, sent: Mapping[str, str], *, text: bool) -> bytes:
        kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
        body = base64.b64encode(frame(b"")) if text else frame(b"")
        headers = {"host": host, "content-type": kind, "accept": kind, **sent}
        url = f"http://127.0.0.1:{self.gateway.port}/{method}"
        async with self._session.post(url, data=body, headers=headers) as answer:
            data = await answer.read()
        found = base64.b64decode(data[: len(data) // 4 * 4]) if text else data
        return next((content for flags, content in frames(found) if flags == 0), b"")

    def channel(self, host: str = HOST) -> grpc.aio.Channel:
        """Returns the channel for a host."""
        target = f"127.0.0.1:{self.gateway.port}"
        if (target, host) not in self._channels:
            options = [("grpc.default_authority", host)]
            self._channels[target, host] = grpc.aio.insecure_channel(target, options=options)
        return self._channels[target, host]

    def watch(self) -> Any:
        """Opens a stream, which has a message at once and another one at its end."""
        channel: Any = self.channel()
        return channel.unary_stream(f"/{API}/Watch")(b"")

    async def many(
        self, count: int, protocol: str, *args: str, callers: int = 32, **options: Any
    ) -> Counter[str]:
        """Returns who has responded to how many of some calls, of which several run at a time."""
        found: Counter[str] = Counter()
        left = iter(range(count))

        async def caller() -> None:
            for number in left:
                found[await self.call(protocol, *args, x_call=str(number), **options)] += 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        return found

    async def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            await channel.close()


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[Site]:
    """Starts a server for each of two revisions."""
    async with AsyncExitStack() as stack:
        servers = {name: Server(name) for name in (STABLE, CANDIDATE)}
        ports = [await stack.enter_async_context(serving(each)) for each in servers.values()]
        base = Revised(
            (Revision(STABLE, ONE, ports[0], 100), Revision(CANDIDATE, TWO, ports[1], 0))
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        site = Site(gateway, servers, base, session)
        stack.push_async_callback(site.close)
        yield site
