"""How fast a changed route is served, from the write to the API server to the first right answer.

The operator runs as a process against a real API server, a real Envoy is connected to it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.envoy.envoy import Envoy

from bench import field as fields
from bench import gateways, services
from bench.breakdown import Breakdown
from bench.errors import BenchError
from bench.field import Field
from bench.figures import Figure, percentile
from bench.polling import Poller
from bench.processes import rss_mib, upstream

TARGETS_MS = {100: {0.5: 30.0, 0.99: 75.0}, 500: {0.5: 40.0}, 1000: {0.5: 40.0, 0.99: 100.0}}
"""By number of services: the targets of percentiles."""

GROWTH, BURST_SECONDS = 2.0, 0.5

BURST = 500
"""Routes that are changed at once, if there are as many services."""

PAUSE = 0.1
"""Seconds between two changes, so that each is one by itself."""

_MS = 1e3
_SERVED_SECONDS = 180.0
_CHANGE_SECONDS = 10.0
_BURST_PERIOD = 0.005
_LATER = 8
"""Host names after which a service starts afresh; the API allows 16."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        services: Numbers of services, ascending.
        changes: Changes at each of them.
        dissected: Further changes of which the parts are timed.
    """

    services: tuple[int, ...]
    changes: int
    dissected: int


async def changes(size: Size, say: Say) -> list[Figure]:
    """Measures single changes among more and more services, and bursts."""
    async with started(say) as run:
        return await run.all(size)


@asynccontextmanager
async def started(say: Say) -> AsyncIterator["Run"]:
    """Runs the operator, a control plane for it, and a proxy with one service."""
    say("a control plane and the operator start")
    async with AsyncExitStack() as stack:
        field = stack.enter_context(fields.prepared())
        port = await stack.enter_async_context(upstream(field.host))
        access, node = stack.enter_context(field.access())
        envoy = await stack.enter_async_context(
            gateways.connected(field.xds_port, field.gateway, access, node)
        )
        poller = Poller(field.port)
        stack.callback(poller.close)
        run = Run(field, envoy, port, poller, say)
        await run.begin()
        yield run


class Run:
    """Services that are created and changed, and when they are served."""

    def __init__(self, field: Field, envoy: Envoy, upstream: int, poller: Poller, say: Say) -> None:
        self._field = field
        self._envoy = envoy
        self._upstream = upstream
        self._poller = poller
        self._say = say
        self._hostnames: dict[int, list[str]] = {}
        self._changed = 0

    async def begin(self) -> None:
        """Creates the first service and waits until there is a listener."""
        await self._prepare(range(1))
        await asyncio.to_thread(self._field.create_services, range(1))
        await self._envoy.ready()
        await self._envoy.port(str(self._field.port))

    async def all(self, size: Size) -> list[Figure]:
        """Grows to each number of services and measures each."""
        found, medians, present = [], {}, 1
        for count in size.services:
            last = count == size.services[-1]
            found += await self.grow(present, count, report=last)
            present = count
            times = [await self._change(count) for _ in range(size.changes)]
            medians[count] = percentile(times, 0.5)
            found += _of_changes(count, times)
            self._say(f"{count} services: a change takes {medians[count]:.0f} ms")
            found += await self._dissect(count, size.dissected)
        first, last_count = size.services[0], size.services[-1]
        found.append(
            Figure(
                f"p50 with {last_count} / with {first} services",
                medians[last_count] / medians[first],
                "x",
                target=GROWTH,
            )
        )
        found.append(await self.rename(min(present, BURST)))
        found.append(self._wrong())
        return found

    async def _dissect(self, count: int, number: int) -> list[Figure]:
        parts = Breakdown(self._field, self._envoy)
        for _ in range(number):
            await parts.measure(lambda: self._patch(count), self._serve)
        return parts.figures(count)

    async def grow(self, present: int, count: int, *, report: bool) -> list[Figure]:
        """Creates the services that are missing; with ``report``, returns how long they took."""
        numbers = range(present, count)
        self._say(f"{count} services: {len(numbers)} more are created")
        await self._prepare(numbers)
        creating, seconds = await self._burst(numbers, lambda: self._field.create_services(numbers))
        note = f"creating them took {creating:.1f} s"
        name = f"burst: {len(numbers)} services created, last create -> last served"
        self._say(f"{count} services: served {seconds:.1f} s after the last create")
        waited = await self._settled()
        self._say(f"{count} services: the operator was done {waited:.1f} s later")
        return [Figure(name, seconds, "s", note=note)] if report else []

    async def _prepare(self, numbers: Iterable[int]) -> None:
        """Creates what services need before they exist."""
        await asyncio.to_thread(self._field.create_endpoints, numbers, self._upstream)
        self._hostnames |= {number: [fields.hostname(number)] for number in numbers}

    async def _settled(self) -> float:
        """Waits until the operator has nothing more to do; returns the seconds that took."""
        begin = time.monotonic()
        deadline = begin + _SERVED_SECONDS
        quiet = 0
        while quiet < 10:  # noqa: PLR2004 - samples in a row, a second together
            depth = await asyncio.to_thread(self._field.operator.metric, _DEPTH)
            quiet = quiet + 1 if depth == 0 else 0
            if time.monotonic() > deadline:
                raise BenchError(f"{_DEPTH} stays at {depth:g} for {_SERVED_SECONDS:g} s")
            await asyncio.sleep(PAUSE)
        return time.monotonic() - begin

    async def rename(self, count: int, name: str = "burst") -> Figure:
        """Gives many services another host name at once.

        Args:
            count: How many.
            name: What host names begin with.
        """
        numbers = range(count)
        self._say(f"{name}: {count} services get another host name")
        self._hostnames |= {number: [f"{name}{number}.example.com"] for number in numbers}
        wanted = {number: self._hostnames[number] for number in numbers}
        writing, seconds = await self._burst(numbers, lambda: self._field.rename(wanted))
        return Figure(
            f"burst: {count} routes changed, last write -> last served",
            seconds,
            "s",
            target=BURST_SECONDS,
            note=f"writing them took {writing:.1f} s",
        )

    async def operator_mib(self) -> float:
        """Returns the resident memory of the operator when it has nothing more to do."""
        await self._settled()
        return rss_mib(self._field.operator.pid)

    async def _burst(
        self, numbers: Sequence[int], write: Callable[[], None]
    ) -> tuple[float, float]:
        """Writes in the order of the numbers, and asks for each service in turn meanwhile.

        Returns:
            Seconds that the writes took, and from the last one until the last service was served.
        """
        begin = time.perf_counter()
        serving = asyncio.create_task(asyncio.to_thread(self._all_served, numbers))
        try:
            await asyncio.to_thread(write)
            written = time.perf_counter()
        finally:
            await serving
        self._field.check()
        return written - begin, time.perf_counter() - written

    def _all_served(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            deadline = time.monotonic() + _SERVED_SECONDS
            target = services.target(number, self._hostnames[number][-1])
            while not self._poller.rest(target):
                time.sleep(_BURST_PERIOD)
                if time.monotonic() > deadline:
                    raise BenchError(f"{target} is not served; {self._wrong().note}")

    async def _change(self, count: int) -> float:
        """Adds one host name to one service; returns the milliseconds until it is served."""
        await asyncio.sleep(PAUSE)
        begin = time.perf_counter()
        number = await self._patch(count)
        await self._serve(number)
        return (time.perf_counter() - begin) * _MS

    async def _patch(self, count: int) -> int:
        number = self._changed * 7 % count
        self._changed += 1
        kept = self._hostnames[number]
        kept = kept[:1] if len(kept) > _LATER else kept
        self._hostnames[number] = [*kept, f"change{self._changed}.example.com"]
        await asyncio.to_thread(self._field.set_hostnames, number, self._hostnames[number])
        return number

    async def _serve(self, number: int) -> None:
        target = services.target(number, self._hostnames[number][-1])
        await asyncio.to_thread(self._poller.until_served, target, _CHANGE_SECONDS)

    def _wrong(self) -> Figure:
        wrong = self._poller.wrong
        note = ", ".join(f"{count} x {what}" for what, count in wrong.most_common(5))
        name = "answers that were neither 'not found' nor right"
        return Figure(name, wrong.total(), "", target=0, note=note)


_DEPTH = "grpc_operator_workqueue_depth"


def _of_changes(count: int, times: list[float]) -> list[Figure]:
    targets = TARGETS_MS.get(count, {})
    return [
        Figure(
            f"host name added, {count} services, p{share * 100:.0f}",
            percentile(times, share),
            "ms",
            min(times),
            max(times),
            targets.get(share),
        )
        for share in (0.5, 0.99)
    ]
