"""One gRPC stream: reads requests and writes responses independently."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key, gateway_key
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.stream_state import MAX_NAMES, StreamState, TooManyNamesError

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
"""The server's side of one call."""


@dataclass(frozen=True)
class Proxy:
    """The client of a stream.

    Attributes:
        gateway: From ``node.cluster``, which is ``NAMESPACE/NAME``.
    """

    node: str
    gateway: Key

    @classmethod
    def of(cls, request: Any) -> "Proxy":
        """Returns the sender of a stream's first request.

        Raises:
            ValueError: It does not name itself and its gateway.
        """
        namespace, _, name = request.node.cluster.partition("/")
        if not (request.node.id and namespace and name) or "/" in name:
            raise ValueError(
                "the first request must carry node.id, and node.cluster as NAMESPACE/NAME of the"
                f" GrpcGateway; got id {request.node.id!r} and cluster {request.node.cluster!r}"
            )
        return cls(request.node.id, gateway_key(namespace, name))


class Stream:
    """The stream of one proxy.

    Args:
        on_state: Called with the services whose state at this proxy changed.
    """

    def __init__(
        self, proxy: Proxy, stats: Stats, on_state: Callable[[Key, frozenset[Key]], None]
    ) -> None:
        self.proxy = proxy
        self._state = StreamState(proxy.node, stats)
        self._on_state = on_state
        self._wake = asyncio.Event()
        self._stopping = False

    def publish(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy should have; never waits for it."""
        self._state.publish(snapshot)
        self._wake.set()

    def stop(self) -> None:
        """Makes the stream end with UNAVAILABLE, so that the proxy connects to another replica."""
        self._stopping = True
        self._wake.set()

    def state(self) -> ProxyState:
        """Returns what the proxy has applied and rejected."""
        return self._state.state()

    async def run(self, first: Any, requests: AsyncIterator[Any], context: Context) -> None:
        """Serves until the proxy disconnects or ``stop`` is called."""
        self._receive(first)
        reader = asyncio.create_task(self._read(requests))
        try:
            while not reader.done() and not self._stopping:
                await self._write(context)
                await self._sleep()
            if self._stopping:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "this replica is stopping")
            await reader
        except TooManyNamesError:
            message = f"at most {MAX_NAMES} resource names on one stream"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, message)
        finally:
            reader.cancel()

    async def _read(self, requests: AsyncIterator[Any]) -> None:
        try:
            async for request in requests:
                self._receive(request)
        finally:
            self._wake.set()

    def _receive(self, request: Any) -> None:
        self._state.receive(request, _now())
        self._wake.set()

    async def _write(self, context: Context) -> None:
        self._wake.clear()
        while not self._stopping:
            response = self._state.next_response(_now())
            self._report()
            if response is None:
                return
            logger.debug("%r: %s", self.proxy.node, response.type_url)
            await context.write(response)

    def _report(self) -> None:
        services = self._state.concerned()
        if services:
            self._on_state(self.proxy.gateway, services)

    async def _sleep(self) -> None:
        deadline = self._state.deadline
        try:
            async with asyncio.timeout_at(deadline):
                await self._wake.wait()
        except TimeoutError:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
