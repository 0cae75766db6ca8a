"""One gRPC stream: reads requests and writes responses independently."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from grpc_operator import limits
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds import waiting
from grpc_operator.xds.authentication import Identity
from grpc_operator.xds.rate_limit import RateLimit
from grpc_operator.xds.shared_tables import Tables
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.stream_state import StreamState, TooMuchError

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
"""The server's side of one call."""


FIRST_REQUEST_SECONDS = 10.0
"""Seconds that a proxy has for its first request."""

_UNASKED_PER_SECOND = 50
"""Requests that answer no response, in the long run (``limits.XDS_UNASKED_REQUESTS``). Further ones
are read later, and HTTP/2 makes the client wait."""


async def first_request(
    requests: AsyncIterator[Any], identity: Identity, context: Context
) -> Any | None:
    """Returns the first request of a stream, or ``None`` when the client sends none.

    Aborts the call when the request names another node than the token does.
    """
    try:
        async with asyncio.timeout(FIRST_REQUEST_SECONDS):
            first = await anext(requests, None)
    except TimeoutError:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no request arrived")
    if first is None:
        return None
    expected = (identity.node, identity.gateway.namespaced_name)
    if (first.node.id, first.node.cluster) != expected:
        await context.abort(
            grpc.StatusCode.PERMISSION_DENIED,
            "the first request must carry node.id and node.cluster of the pod that the token"
            f" belongs to: {expected[0]!r} and {expected[1]!r}",
        )
    return first


class Stream:
    """The stream of one proxy.

    Args:
        identity: The proxy.
        stats: Counts what happens here.
        on_state: Called with the services whose state at this proxy changed.
        why_ended: Returns why the stream must end now, or an empty text.
        accepted: Route tables that any proxy of the gateway accepted last; shared by all of them.

    Attributes:
        is_to_reconnect: Whether the server ended the stream, so that the proxy opens another.
    """

    def __init__(
        self,
        identity: Identity,
        stats: Stats,
        on_state: Callable[[Key, frozenset[Key]], None],
        why_ended: Callable[[], str],
        accepted: Tables,
    ) -> None:
        self.identity = identity
        self.is_to_reconnect = False
        self._state = StreamState(identity.node, stats, accepted)
        self._on_state = on_state
        self._why_ended = why_ended
        self._wake = asyncio.Event()
        self._stopping = ""
        self._unasked = RateLimit(limits.XDS_UNASKED_REQUESTS.value, _UNASKED_PER_SECOND)

    def publish(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy should have; never waits for it."""
        self._state.publish(snapshot)
        self._wake.set()

    def stop(self, why: str) -> None:
        """Makes the stream end with UNAVAILABLE, so that the proxy connects again."""
        self._stopping = why
        self._wake.set()

    def state(self) -> ProxyState:
        """Returns what the proxy has applied and rejected."""
        return self._state.state()

    async def run(self, first: Any, requests: AsyncIterator[Any], context: Context) -> None:
        """Serves until the proxy disconnects or ``stop`` is called."""
        reader = asyncio.create_task(self._read(first, requests))
        try:
            while not reader.done() and not self._ends():
                await self._write(context)
                await waiting.woken(self._wake, self._state.deadline)
            if self._stopping:
                await context.abort(grpc.StatusCode.UNAVAILABLE, self._stopping)
            await reader
        except TooMuchError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        finally:
            reader.cancel()

    def _ends(self) -> bool:
        if not self._stopping:
            self._stopping = self._why_ended()
            self.is_to_reconnect = bool(self._stopping)
        return bool(self._stopping)

    async def _read(self, first: Any, requests: AsyncIterator[Any]) -> None:
        try:
            self._receive(first)
            async for request in requests:
                if not self._receive(request):
                    await asyncio.sleep(self._unasked.wait(waiting.now()))
        finally:
            self._wake.set()

    def _receive(self, request: Any) -> bool:
        """Handles a request; returns whether it answers a response."""
        is_answer = self._state.receive(request, waiting.now())
        self._wake.set()
        return is_answer

    async def _write(self, context: Context) -> None:
        self._wake.clear()
        while not self._stopping:
            response = self._state.next_response(waiting.now())
            self._report()
            if response is None:
                return
            logger.debug("%r: %s", self.identity.node, response.type_url)
            await context.write(response)

    def _report(self) -> None:
        services = self._state.concerned()
        if services:
            self._on_state(self.identity.gateway, services)
