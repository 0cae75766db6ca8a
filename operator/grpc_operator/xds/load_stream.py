"""One stream of load reports: which clusters a proxy is asked for, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from envoy.service.load_stats.v3 import lrs_pb2

from grpc_operator import limits
from grpc_operator.xds import waiting
from grpc_operator.xds.authentication import Identity
from grpc_operator.xds.rate_limit import RateLimit
from grpc_operator.xds.stream import Context
from grpc_operator.xds.stream_state import TooMuchError

INTERVAL = 2.0
"""Seconds between two reports of a proxy."""

_NEVER = 3600.0
"""Seconds between two reports without any cluster in them: Envoy has to be given a number."""

_REPORTS_AT_ONCE, _REPORTS_PER_SECOND = 8, 2.0
"""Several times as many as Envoy sends. Further ones are read later, and HTTP/2 makes the client
wait."""


class Asking:
    """What a proxy is asked for.

    Envoy drops what it has counted of a cluster that it is no longer asked for, and begins its
    interval anew with each list (``LoadStatsReporterImpl::startLoadReportPeriod`` in
    source/common/upstream/load_stats_reporter_impl.cc): a list is replaced right after a report.

    Args:
        wanted: The clusters whose load is wanted.
        goes_on: Whether the proxy reports without having been asked on this stream: Envoy goes on
            with the last list of an older stream.
    """

    def __init__(self, wanted: frozenset[str], *, goes_on: bool) -> None:
        self._wanted = wanted
        self._asked: frozenset[str] = frozenset()
        self._outdated = goes_on or bool(wanted)
        self._waits_until = 0.0

    @property
    def deadline(self) -> float | None:
        """When ``next`` has a list that waits for a report, at the latest."""
        return self._waits_until if self._outdated else None

    @property
    def counted(self) -> frozenset[str]:
        """The clusters whose load counts: also those that were wanted until the last report."""
        return self._wanted | self._asked

    def want(self, clusters: frozenset[str], now: float) -> None:
        """Sets the clusters whose load is wanted.

        Args:
            clusters: Their names.
            now: The time in seconds.
        """
        if clusters == self._wanted:
            return
        self._wanted = clusters
        if not self._outdated:
            self._outdated = True
            # A proxy that reports nothing is not waited for.
            self._waits_until = now + 2 * INTERVAL if self._asked else now

    def reported(self) -> None:
        """A report has arrived."""
        self._waits_until = 0.0

    def next(self, now: float) -> lrs_pb2.LoadStatsResponse | None:
        """Returns the list to send now, if it is time to send one.

        Args:
            now: The time in seconds.
        """
        if not self._outdated or now < self._waits_until:
            return None
        self._outdated = False
        self._asked = self._wanted
        response = lrs_pb2.LoadStatsResponse(clusters=sorted(self._asked))
        seconds = INTERVAL if self._asked else _NEVER
        response.load_reporting_interval.FromMilliseconds(int(1000 * seconds))
        return response


class LoadStream:
    """The stream of one proxy.

    Args:
        identity: The proxy.
        wanted: The clusters whose load is wanted.
        count: Called with each report and the clusters of it that count.
        why_ended: Returns why the stream must end now, or an empty text.
        goes_on: See ``Asking``.
    """

    def __init__(
        self,
        identity: Identity,
        wanted: frozenset[str],
        count: Callable[[Any, frozenset[str]], None],
        why_ended: Callable[[], str],
        *,
        goes_on: bool,
    ) -> None:
        self.identity = identity
        self._asking = Asking(wanted, goes_on=goes_on)
        self._count = count
        self._why_ended = why_ended
        self._stopped = False
        self._wake = asyncio.Event()
        self._reports = RateLimit(_REPORTS_AT_ONCE, _REPORTS_PER_SECOND)

    def want(self, clusters: frozenset[str]) -> None:
        """Sets the clusters whose load is wanted."""
        self._asking.want(clusters, waiting.now())
        self._wake.set()

    def stop(self) -> None:
        """Makes the stream end; Envoy opens another one after 5 s."""
        self._stopped = True
        self._wake.set()

    async def run(self, first: Any, requests: AsyncIterator[Any], context: Context) -> None:
        """Serves until the proxy disconnects or has to connect again.

        Raises:
            TooMuchError: A report exceeds a limit.
        """
        reader = asyncio.create_task(self._read(first, requests))
        try:
            while not (reader.done() or self._stopped or self._why_ended()):
                self._wake.clear()
                response = self._asking.next(waiting.now())
                if response is not None:
                    await context.write(response)
                await waiting.woken(self._wake, self._asking.deadline)
            if reader.done():
                reader.result()
        finally:
            reader.cancel()

    async def _read(self, first: Any, requests: AsyncIterator[Any]) -> None:
        try:
            self._receive(first)
            async for report in requests:
                self._receive(report)
                await asyncio.sleep(self._reports.wait(waiting.now()))
        finally:
            self._wake.set()

    def _receive(self, report: Any) -> None:
        entries = sum(1 + len(each.upstream_locality_stats) for each in report.cluster_stats)
        if entries > limits.LOAD_REPORT_ENTRIES.value:
            raise TooMuchError(
                f"a load report may have {limits.LOAD_REPORT_ENTRIES} clusters and localities,"
                f" not {entries}"
            )
        if entries:
            self._count(report, self._asking.counted)
            self._asking.reported()
        self._wake.set()
