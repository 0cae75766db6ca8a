"""The queue of keys to reconcile: one entry a key, one worker a key."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY = 0.5
"""Seconds before the first retry of a failed key; doubled each time."""
LAST_RETRY = 30.0
"""Longest time between two retries, in seconds."""


async def _nothing() -> None:
    """Waits for nothing."""


class Queue(Generic[K]):
    """Keys in the order they were added, each at most once, never two workers on the same one.

    Groups take turns: however many keys of one wait, a key of another one waits for at most one of
    each group.

    The contract is that of client-go's workqueue: a key added while it is being worked on is
    handed out again after ``done``.

    Args:
        group: Returns the group of a key.
        before: Called before a key is handed out, which waits for it.
        jitter: Returns what delays of retries are multiplied with.
    """

    def __init__(
        self,
        *,
        group: Callable[[K], Hashable] = lambda _: None,
        before: Callable[[], Awaitable[None]] = _nothing,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),  # noqa: S311 - not for secrets
    ) -> None:
        self._group = group
        self._before = before
        self._ready: dict[Hashable, deque[K]] = {}
        self._count = asyncio.Semaphore(0)
        self._dirty: set[K] = set()
        self._first: set[K] = set()
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, tuple[float, asyncio.TimerHandle]] = {}
        self._jitter = jitter

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return len(self._dirty)

    def add(self, key: K, *, first: bool = False) -> None:
        """Enqueues a key.

        Args:
            key: The key.
            first: Whether to hand it out before all others of its group: somebody waits for it.
        """
        if key in self._dirty:
            if first and key not in self._first:
                self._first.add(key)
                self._move_first(key)
            return
        self._dirty.add(key)
        if first:
            self._first.add(key)
        if key not in self._busy:
            self._put(key)

    def _move_first(self, key: K) -> None:
        if key not in self._busy:
            keys = self._ready[self._group(key)]
            keys.remove(key)
            keys.appendleft(key)

    def add_after(self, key: K, delay: float) -> None:
        """Enqueues a key after ``delay`` seconds; an earlier timer of the key stays."""
        due = time.monotonic() + delay
        pending = self._timers.get(key)
        if pending is not None:
            if pending[0] <= due:
                return
            pending[1].cancel()
        handle = asyncio.get_running_loop().call_later(delay, self._fire, key)
        self._timers[key] = (due, handle)

    def _fire(self, key: K) -> None:
        del self._timers[key]
        self.add(key)

    async def get(self) -> K:
        """Waits for a key and marks it as being worked on."""
        await self._count.acquire()
        await self._before()  # what comes meanwhile about a key that waits costs nothing
        group, keys = next(iter(self._ready.items()))
        del self._ready[group]
        key = keys.popleft()
        if keys:  # to the end: the others are next
            self._ready[group] = keys
        self._dirty.discard(key)
        self._first.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        """Ends the work on a key; it is handed out again if it was added meanwhile."""
        self._busy.discard(key)
        if key in self._dirty:
            self._put(key)

    def _put(self, key: K) -> None:
        keys = self._ready.setdefault(self._group(key), deque())
        if key in self._first:
            keys.appendleft(key)
        else:
            keys.append(key)
        self._count.release()

    def retry(self, key: K, *, at_least: float = 0.0) -> float:
        """Requeues a key after a delay that doubles with each failure; returns the delay (s)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        backoff = min(FIRST_RETRY * 2.0 ** min(failures, 16), LAST_RETRY)
        delay = max(at_least, backoff) * self._jitter()
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Resets the failures of a key: the next retry starts with the shortest delay."""
        self._failures.pop(key, None)
