"""The service to which proxies report how many calls end well (Envoy's LRS), beside ADS.

A proxy is asked for the clusters of services that have several revisions. Without any, it reports
nothing.
"""

import asyncio
import logging
from typing import Any

import grpc
from envoy.service.load_stats.v3 import lrs_pb2_grpc

from grpc_operator import limits
from grpc_operator.resources import Key
from grpc_operator.xds import lifetime
from grpc_operator.xds.admission import Admission
from grpc_operator.xds.authentication import Authenticator
from grpc_operator.xds.load_stream import LoadStream
from grpc_operator.xds.load_totals import Loads, LoadTotals
from grpc_operator.xds.state import Stats
from grpc_operator.xds.stream import Context, first_request
from grpc_operator.xds.stream_state import TooMuchError

logger = logging.getLogger(__name__)


class LoadReports(lrs_pb2_grpc.LoadReportingServiceServicer):  # type: ignore[misc]
    """Load reports of the proxies that are connected to this replica.

    All methods belong to the event loop of the server.

    Args:
        admission: Of the server.
        authenticator: Finds who a client is.
        stats: Counts reports.
    """

    def __init__(self, admission: Admission, authenticator: Authenticator, stats: Stats) -> None:
        self._admission = admission
        self._authenticator = authenticator
        self._stats = stats
        self._wanted: dict[Key, frozenset[str]] = {}
        self._streams: dict[tuple[Key, str], LoadStream] = {}
        self._totals = LoadTotals()

    def want(self, gateway: Key, clusters: frozenset[str]) -> None:
        """Sets of which clusters of a gateway the proxies are to report their calls."""
        bounded = frozenset(sorted(clusters)[: limits.LOAD_REPORT_CLUSTERS.value])
        if bounded == self._wanted.get(gateway, frozenset()):
            return
        self._wanted[gateway] = bounded
        if not bounded:
            del self._wanted[gateway]
        for (owner, _), stream in self._streams.items():
            if owner == gateway:
                stream.want(bounded)

    def loads(self, gateway: Key, service: Key) -> Loads:
        """Returns what the proxies of a gateway have reported of one GrpcService."""
        return self._totals.of(gateway, service, _now())

    def stop(self) -> None:
        """Ends every stream."""
        for stream in self._streams.values():
            stream.stop()

    async def StreamLoadStats(  # noqa: N802 - gRPC names the method
        self, requests: Any, context: Context
    ) -> None:
        """Serves one proxy; see ``LoadReportingService`` in Envoy's API."""
        identity = await self._admission.admit(context, self._authenticator.authenticate)
        place = identity.gateway, identity.node
        if len(self._streams) >= limits.XDS_PROXIES.value and place not in self._streams:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many proxies")
        first = await first_request(requests, identity, context)
        if first is None:
            return

        def count(report: Any, clusters: frozenset[str]) -> None:
            self._stats.load_reports += 1
            self._totals.add(*place, report.cluster_stats, clusters, _now())

        wanted = self._wanted.get(identity.gateway, frozenset())
        why_ended = lifetime.ends(identity, self._authenticator.is_valid)
        stream = LoadStream(identity, wanted, count, why_ended, goes_on=bool(first.cluster_stats))
        if place in self._streams:
            self._streams[place].stop()
        self._streams[place] = stream
        try:
            await stream.run(first, requests, context)
        except TooMuchError as error:
            logger.warning("Load report of proxy %r refused: %s", identity.node, error)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        finally:
            if self._streams.get(place) is stream:
                del self._streams[place]


def _now() -> float:
    return asyncio.get_running_loop().time()
