"""A network between the order service and another one, in which calls get lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

from grpc_service_kit.testing.polling import TIMEOUT

Fault = Callable[[], Awaitable[None]]


@dataclass
class Network(grpc.GenericRpcHandler):
    """Passes unary calls on to a service, and lets faults happen on the way."""

    target: str = ""
    """Where the service is now."""
    before: dict[str, Fault] = field(default_factory=dict)
    """What happens, once, before a call of this method reaches the service; it then does not."""
    after: dict[str, Fault] = field(default_factory=dict)
    """What happens, once, after the service has answered; the answer is lost."""
    delays: dict[str, Fault] = field(default_factory=dict)
    """What is waited for, once, before a call of this method goes on to the service."""
    calls: list[str] = field(default_factory=list)
    """The methods called, in order."""
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    """What came with each of them."""
    remaining: list[float] = field(default_factory=list)
    """The seconds that each of them had left."""

    def forget(self) -> None:
        """Forget the calls so far."""
        for seen in (self.calls, self.metadata, self.remaining):
            seen.clear()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler of a call; gRPC asks for every call."""
        if details.method.startswith("/grpc."):  # Without health service a server is healthy.
            return None
        return grpc.unary_unary_rpc_method_handler(partial(self._forward, details.method))

    async def _forward(
        self, method: str, request: bytes, context: grpc.aio.ServicerContext[Any, Any]
    ) -> bytes:
        name = method.rpartition("/")[2]
        self.calls.append(name)
        self.metadata.append(dict(context.invocation_metadata() or ()))
        self.remaining.append(context.time_remaining())
        if name in self.delays:
            await self.delays.pop(name)()
        await self._fail(self.before, name, context)
        async with grpc.aio.insecure_channel(self.target) as channel:
            try:
                call = channel.unary_unary(method, bytes, bytes)
                answer: bytes = await call(request, timeout=TIMEOUT)
            except grpc.aio.AioRpcError as error:
                trailing = tuple(error.trailing_metadata())
                await context.abort(error.code(), error.details() or "", trailing)
        await self._fail(self.after, name, context)
        return answer

    async def _fail(
        self, faults: dict[str, Fault], name: str, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        if name in faults:
            await faults.pop(name)()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")


@asynccontextmanager
async def network_to(target: str) -> AsyncIterator[tuple[Network, str]]:
    """Run a network to a service; yield it with the address to call."""
    network = Network(target)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((network,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield network, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
