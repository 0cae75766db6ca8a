"""Where the time of one change goes: the moments that can be seen from outside the operator."""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any

import urllib3
from tests.envoy.envoy import Envoy

from bench.field import Field
from bench.figures import Figure
from grpc_operator.resources import GRPC_SERVICES

_MS = 1e3
_WATCH_SECONDS = 120
_PAUSE = 0.2

_PARTS = (
    "API server answers the write",
    "answer -> event reaches a watcher",
    "event -> Envoy has taken the last resource (operator: watch, build, push)",
    "taken -> first right answer",
)


class Breakdown:
    """Times the parts of changes.

    Args:
        field: Whose API server is watched.
        envoy: Says when it took over a resource (``last_updated`` of /config_dump).
    """

    def __init__(self, field: Field, envoy: Envoy) -> None:
        self._field = field
        self._envoy = envoy
        self._seen: dict[str, float] = {}
        self._times: list[tuple[float, ...]] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    async def measure(
        self,
        write: Callable[[], Awaitable[int]],
        served: Callable[[int], Awaitable[None]],
    ) -> None:
        """Times one change.

        Args:
            write: Makes it; returns the number of the service.
            served: Returns when it is served.
        """
        await asyncio.sleep(_PAUSE)
        self._seen.clear()
        begin = time.time()
        number = await write()
        written = time.time()
        await served(number)
        done = time.time()
        taken = await self._last_taken()
        seen = min((at for name, at in self._seen.items() if name == f"users{number}"), default=0)
        if begin < taken <= done and seen:
            # The watcher is a thread of this process: it may run after the answer has been read.
            moments = (begin, written, max(seen, written), max(taken, seen, written), done)
            self._times.append(tuple((b - a) * _MS for a, b in pairwise(moments)))

    def figures(self, count: int) -> list[Figure]:
        """Returns the median of each part."""
        return (
            [
                Figure(
                    f"  {count} services: {name}",
                    statistics.median(values),
                    "ms",
                    min(values),
                    max(values),
                )
                for name, values in zip(_PARTS, zip(*self._times, strict=True), strict=True)
            ]
            if self._times
            else []
        )

    def _watch(self) -> None:
        events = self._field.api.watch(GRPC_SERVICES, self._field.namespace, _WATCH_SECONDS)
        # The end of the API server, after the last change, is none of its business.
        with suppress(urllib3.exceptions.HTTPError):
            for event in events:
                if event["type"] == "MODIFIED":
                    self._seen.setdefault(event["object"]["metadata"]["name"], time.time())

    async def _last_taken(self) -> float:
        dump = json.loads(await self._envoy.admin("/config_dump"))
        return max(_times(dump), default=0.0)


def _times(value: Any) -> list[float]:
    """Returns every ``last_updated`` in a config dump, as seconds since 1970."""
    if isinstance(value, list):
        return [at for entry in value for at in _times(entry)]
    if not isinstance(value, dict):
        return []
    here = value.get("last_updated")
    found = [datetime.fromisoformat(here).timestamp()] if isinstance(here, str) else []
    return found + [at for entry in value.values() for at in _times(entry)]
