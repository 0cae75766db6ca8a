"""The gRPC server that proxies get their configuration from."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.load_stats.v3 import lrs_pb2_grpc

from grpc_operator import limits, names
from grpc_operator.gateway.snapshot import ROUTES, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds import lifetime
from grpc_operator.xds.admission import Admission
from grpc_operator.xds.authentication import Authenticator
from grpc_operator.xds.connected import Connected
from grpc_operator.xds.load_reports import LoadReports
from grpc_operator.xds.shared_tables import Tables
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.stream import Context, Stream, first_request
from grpc_operator.xds.tls import ServerTls

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024

CONNECTION_SECONDS = 300
"""Seconds after which a connection takes no further stream."""


def _options() -> tuple[tuple[str, int], ...]:
    return (
        # One resource can be larger than gRPC's default of 4 MiB.
        ("grpc.max_send_message_length", 64 * _MIB),
        ("grpc.max_receive_message_length", limits.XDS_REQUEST_BYTES.value),
        # What costs a client nothing: connections without a call, calls without an end.
        ("grpc.max_concurrent_streams", limits.XDS_CONNECTION_STREAMS.value),
        ("grpc.max_connection_idle_ms", 10_000),
        ("grpc.max_allowed_incoming_connections", limits.XDS_CONNECTIONS.value),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_metadata_size", 16 * 1024),
        # The Service spreads connections, not streams: without an end of theirs, every proxy stays
        # at the replica that was there first. gRPC adds 10% of jitter. Streams go on until they end
        # by themselves (limits.XDS_STREAM_SECONDS); the next one is on another connection.
        ("grpc.max_connection_age_ms", CONNECTION_SECONDS * 1000),
        # A proxy that vanished is noticed within 14 s. gRPC has one ping in flight at a time, and
        # those that it sends to measure bandwidth would wait 60 s for their answer.
        ("grpc.keepalive_time_ms", 7_000),
        ("grpc.keepalive_timeout_ms", 7_000),
        ("grpc.http2.ping_timeout_ms", 7_000),
        ("grpc.http2.max_pings_without_data", 0),
        # Proxies may do the same (bootstrap.yaml.j2).
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
        authenticator: Finds who a client is.

    Attributes:
        load_reports: What the proxies report of calls, on the same port.
    """

    def __init__(
        self, on_state: Callable[[Key, frozenset[Key]], None], authenticator: Authenticator
    ) -> None:
        self._on_state = on_state
        self._authenticator = authenticator
        self._snapshots: dict[Key, Snapshot] = {}
        self._accepted: dict[Key, Tables] = {}
        self._connected = Connected(self._report_every_service, authenticator.is_valid)
        self._admission = Admission()
        self._server: grpc.aio.Server | None = None
        self._stopping = False
        self.stats = Stats()
        self.load_reports = LoadReports(self._admission, authenticator, self.stats)

    async def start(
        self,
        port: int,
        tls: ServerTls,
        host: str = "0.0.0.0",  # noqa: S104 - for other pods
        handlers: Iterable[grpc.GenericRpcHandler] = (),
    ) -> int:
        """Begins to serve, by TLS only; returns the port, which is a free one when 0 is given.

        Args:
            port: The port.
            tls: The certificate to show.
            host: The address to listen on.
            handlers: Other services on the same port.

        Raises:
            RuntimeError: The port is in use.
        """
        self._server = grpc.aio.server(options=_options())
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self._server)
        lrs_pb2_grpc.add_LoadReportingServiceServicer_to_server(self.load_reports, self._server)
        self._server.add_generic_rpc_handlers(tuple(handlers))
        bound = self._server.add_secure_port(names.host_port(host, port), tls.credentials())
        await self._server.start()
        return bound

    async def stop(self, grace: float) -> None:
        """Ends every stream with UNAVAILABLE and stops serving.

        Args:
            grace: Seconds given to streams that do not end by themselves.
        """
        self._stopping = True
        for stream in self._connected.all():
            stream.stop("this replica is stopping")
        self.load_reports.stop()
        if self._server is not None:
            await self._server.stop(grace)

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Sets what the proxies of a gateway should have."""
        before = self._snapshots.get(gateway)
        self._snapshots[gateway] = snapshot
        accepted, tables = self._accepted.get(gateway, {}), snapshot.resources.get(ROUTES, {})
        for name in snapshot.since(before).names.get(ROUTES, ()):
            if name not in tables:
                accepted.pop(name, None)
        for stream in self._connected.of(gateway):
            stream.publish(snapshot)
        self.load_reports.want(gateway, snapshot.reported)

    def withdraw(self, gateway: Key) -> None:
        """Forgets a gateway; proxies that are still connected keep what they have."""
        self._snapshots.pop(gateway, None)
        self._accepted.get(gateway, {}).clear()
        for stream in self._connected.of(gateway):
            stream.publish(None)
        self.load_reports.want(gateway, frozenset())

    def proxies(self, gateway: Key) -> tuple[ProxyState, ...]:
        """Returns the connected proxies of a gateway, sorted by node."""
        return self._connected.states(gateway)

    async def DeltaAggregatedResources(  # noqa: N802 - gRPC names the method
        self, requests: AsyncIterator[Any], context: Context
    ) -> None:
        """Serves one proxy; see ``AggregatedDiscoveryService`` in Envoy's API."""
        identity = await self._admission.admit(context, self._authenticator.authenticate)
        if self._connected.is_full(identity):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many proxies")
        first = await first_request(requests, identity, context)
        if first is None:
            return
        accepted = self._accepted.setdefault(identity.gateway, {})
        why_ended = lifetime.ends(identity, self._authenticator.is_valid)
        stream = Stream(identity, self.stats, self._on_state, why_ended, accepted)
        if self._stopping:
            stream.stop("this replica is stopping")
        self._begin(stream, context.peer())
        try:
            await stream.run(first, requests, context)
        finally:
            self._end(stream)

    async def StreamAggregatedResources(  # noqa: N802 - gRPC names the method
        self, _: AsyncIterator[Any], context: Context
    ) -> None:
        """Rejects the state-of-the-world variant."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "only incremental xDS is served: set api_type: DELTA_GRPC in ads_config",
        )

    def _begin(self, stream: Stream, peer: str) -> None:
        gateway, node = stream.identity.gateway, stream.identity.node
        self._connected.add(stream)
        self.stats.connected += 1
        snapshot = self._snapshots.get(gateway)
        logger.info(
            "Proxy %r of gateway %s connected from %s%s",
            node,
            gateway.namespaced_name,
            peer,
            "" if snapshot else "; the gateway does not exist yet",
        )
        stream.publish(snapshot)
        self._report_every_service(gateway)

    def _end(self, stream: Stream) -> None:
        gateway = stream.identity.gateway
        self._connected.discard(stream)
        self.stats.connected -= 1
        logger.info(
            "Proxy %r of gateway %s disconnected", stream.identity.node, gateway.namespaced_name
        )
        self._report_every_service(gateway)

    def _report_every_service(self, gateway: Key) -> None:
        snapshot = self._snapshots.get(gateway)
        self._on_state(gateway, frozenset(snapshot.config_hashes if snapshot else ()))
