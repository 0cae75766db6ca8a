"""The gRPC server that proxies get their configuration from."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc

from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.stream import Context, Proxy, Stream

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_OPTIONS = (
    # One resource can be larger than gRPC's default of 4 MiB, and so can the list of all names
    # and versions with which a proxy reconnects.
    ("grpc.max_send_message_length", 64 * _MIB),
    ("grpc.max_receive_message_length", 16 * _MIB),
    # A proxy that vanished is noticed within 20 s. gRPC has one ping in flight at a time, and those
    # that it sends to measure bandwidth would wait 60 s for their answer.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Proxies may do the same.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.so_reuseport", 0),
)


class AdsServer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    """Incremental ADS for the proxies of every gateway.

    All methods belong to the event loop that called ``start``.

    Args:
        on_state: Called with a gateway and the services concerned when one of its proxies
            connects, disconnects, has applied a change completely, or has rejected one.
    """

    def __init__(self, on_state: Callable[[Key, frozenset[Key]], None]) -> None:
        self._on_state = on_state
        self._snapshots: dict[Key, Snapshot] = {}
        self._streams: dict[Key, list[Stream]] = {}
        self._server: grpc.aio.Server | None = None
        self._stopping = False
        self.stats = Stats()

    async def start(self, port: int, host: str = "0.0.0.0") -> int:  # noqa: S104 - for other pods
        """Begins to serve; returns the port, which is a free one when 0 is given.

        Raises:
            RuntimeError: The port is in use.
        """
        self._server = grpc.aio.server(options=_OPTIONS)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self._server)
        bound = self._server.add_insecure_port(f"{host}:{port}")
        await self._server.start()
        return bound

    async def stop(self, grace: float) -> None:
        """Ends every stream with UNAVAILABLE and stops serving.

        Args:
            grace: Seconds given to streams that do not end by themselves.
        """
        self._stopping = True
        for stream in self._all():
            stream.stop()
        if self._server is not None:
            await self._server.stop(grace)

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Sets what the proxies of a gateway should have."""
        self._snapshots[gateway] = snapshot
        for stream in self._streams.get(gateway, ()):
            stream.publish(snapshot)

    def withdraw(self, gateway: Key) -> None:
        """Forgets a gateway; proxies that are still connected keep what they have."""
        self._snapshots.pop(gateway, None)
        for stream in self._streams.get(gateway, ()):
            stream.publish(None)

    def proxies(self, gateway: Key) -> tuple[ProxyState, ...]:
        """Returns the connected proxies of a gateway, sorted by node.

        Of two streams of one proxy, the later one counts: the other one is about to break.
        """
        states = {stream.proxy.node: stream.state() for stream in self._streams.get(gateway, ())}
        return tuple(states[node] for node in sorted(states))

    def _all(self) -> list[Stream]:
        return [stream for streams in self._streams.values() for stream in streams]

    async def DeltaAggregatedResources(  # noqa: N802 - gRPC names the method
        self, requests: AsyncIterator[Any], context: Context
    ) -> None:
        """Serves one proxy; see ``AggregatedDiscoveryService`` in Envoy's API."""
        first = await anext(requests, None)
        if first is None:
            return
        try:
            proxy = Proxy.of(first)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        stream = Stream(proxy, self.stats, self._on_state)
        if self._stopping:
            stream.stop()
        self._connected(stream, context.peer())
        try:
            await stream.run(first, requests, context)
        finally:
            self._disconnected(stream)

    async def StreamAggregatedResources(  # noqa: N802 - gRPC names the method
        self, _: AsyncIterator[Any], context: Context
    ) -> None:
        """Rejects the state-of-the-world variant."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "only incremental xDS is served: set api_type: DELTA_GRPC in ads_config",
        )

    def _connected(self, stream: Stream, peer: str) -> None:
        gateway = stream.proxy.gateway
        self._streams.setdefault(gateway, []).append(stream)
        self.stats.connected += 1
        snapshot = self._snapshots.get(gateway)
        logger.info(
            "Proxy %r of gateway %s connected from %s%s",
            stream.proxy.node,
            gateway.namespaced_name,
            peer,
            "" if snapshot else "; the gateway does not exist yet",
        )
        stream.publish(snapshot)
        self._report_every_service(gateway)

    def _disconnected(self, stream: Stream) -> None:
        gateway = stream.proxy.gateway
        self._streams[gateway].remove(stream)
        if not self._streams[gateway]:
            del self._streams[gateway]
        self.stats.connected -= 1
        logger.info(
            "Proxy %r of gateway %s disconnected", stream.proxy.node, gateway.namespaced_name
        )
        self._report_every_service(gateway)

    def _report_every_service(self, gateway: Key) -> None:
        snapshot = self._snapshots.get(gateway)
        self._on_state(gateway, frozenset(snapshot.config_hashes if snapshot else ()))
