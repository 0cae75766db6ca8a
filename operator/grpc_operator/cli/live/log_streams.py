"""Logs of several pods as one, by time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.known_errors import known
from grpc_operator.cli.output import note
from grpc_operator.errors import ClusterError, NotFoundError, RejectedError
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import PODS

_AT_ONCE = 8
"""Logs that are read at a time."""

_PODS_EVERY = 5.0
"""Seconds after which new pods are noticed, and a log that has ended is opened again."""


class Line(NamedTuple):
    """A line of a log.

    Attributes:
        at: When it was written.
        pod: Name of the pod.
        text: Without the end of the line.
    """

    at: datetime
    pod: str
    text: str


class Pod(NamedTuple):
    """A container whose log is read."""

    namespace: str
    name: str
    container: str


@dataclass(frozen=True)
class Query:
    """What is read of each log.

    Attributes:
        since: How old lines may be.
        tail: How many are returned at most of all logs: the newest.
        previous: Whether of the container before its last restart.
        wanted: Whether a line is wanted.
    """

    since: timedelta
    tail: int
    previous: bool
    wanted: Callable[[Line], bool]


@dataclass
class Logs:
    """The logs of pods.

    Attributes:
        connection: To the API server.
        query: What is read.
        last: The time of the last line that was read, by pod.
        left_out: Wanted lines that ``query.tail`` leaves out.
    """

    connection: Connection
    query: Query
    last: dict[str, datetime] = field(default_factory=dict)
    left_out: int = 0
    _said: set[str] = field(default_factory=set)

    async def history(self, pods: Sequence[Pod]) -> list[Line]:
        """Returns the wanted lines that exist, by time.

        Raises:
            CliError: A log cannot be read.
        """
        slots = asyncio.Semaphore(_AT_ONCE)
        if len(pods) > _AT_ONCE:
            note(f"reading the logs of {len(pods)} pods ...")

        async def of(pod: Pod) -> tuple[list[Line], int]:
            async with slots:
                kept: deque[Line] = deque(maxlen=self.query.tail)
                count = 0
                async for line in self._read(pod, {}):
                    if self.query.wanted(line):
                        kept.append(line)
                        count += 1
                return list(kept), count

        found = await asyncio.gather(*map(of, pods))
        lines = sorted(line for kept, _ in found for line in kept)
        self.left_out = sum(count for _, count in found) - min(len(lines), self.query.tail)
        return lines[-self.query.tail :] if self.query.tail else []

    async def follow(self, pods: Callable[[], Awaitable[Sequence[Pod]]]) -> AsyncIterator[Line]:
        """Yields wanted lines as they are written, those of pods that start later too.

        Args:
            pods: Returns those that exist.
        """
        queue: asyncio.Queue[Line] = asyncio.Queue(maxsize=1_000)
        tasks: dict[str, asyncio.Task[None]] = {}
        keeper = asyncio.create_task(self._keep(pods, queue, tasks))
        try:
            while True:
                yield await queue.get()
        finally:
            for task in (keeper, *tasks.values()):
                task.cancel()
            await asyncio.gather(keeper, *tasks.values(), return_exceptions=True)

    async def _keep(
        self,
        pods: Callable[[], Awaitable[Sequence[Pod]]],
        queue: "asyncio.Queue[Line]",
        tasks: dict[str, "asyncio.Task[None]"],
    ) -> None:
        """Follows the log of each pod, and opens it again when it has ended."""
        while True:
            try:
                for pod in await pods():
                    task = tasks.get(pod.name)
                    if task is None or task.done():
                        tasks[pod.name] = asyncio.create_task(self._pump(pod, queue))
            except CliError as error:
                self._say(str(error))
            await asyncio.sleep(_PODS_EVERY)

    async def _pump(self, pod: Pod, queue: "asyncio.Queue[Line]") -> None:
        try:
            async for line in self._read(pod, {"follow": "true"}):
                if self.query.wanted(line):
                    await queue.put(line)
        except CliError as error:
            self._say(f"{pod.name}: {error}")

    def _say(self, problem: str) -> None:
        """Says what keeps a log from being followed, once."""
        if problem not in self._said:
            self._said.add(problem)
            note(problem)

    async def _read(self, pod: Pod, extra: Mapping[str, str]) -> AsyncIterator[Line]:
        query = {"container": pod.container, "timestamps": "true", **extra}
        seen = self.last.get(pod.name)
        since = seen if extra and seen is not None else datetime.now(UTC) - self.query.since
        query["sinceTime"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.query.previous:
            query["previous"] = "true"
        path = f"{PODS.path(pod.namespace, pod.name)}/log"
        try:
            async for raw in self.connection.lines(path, query):
                line = _line(pod.name, raw)
                if line is not None and (not extra or seen is None or line.at > seen):
                    self.last[pod.name] = line.at
                    yield line
        except (NotFoundError, RejectedError) as error:  # it is gone, or has not started yet
            if not extra:
                note(f"{pod.name}: {error.words}")
        except ClusterError as error:
            raise known(error) from error


def _line(pod: str, raw: bytes) -> Line | None:
    stamp, _, text = raw.decode(errors="replace").partition(" ")
    try:
        return Line(datetime.fromisoformat(stamp), pod, text)
    except ValueError:
        return None
