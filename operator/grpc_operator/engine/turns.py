"""Limits how much is done at a time: in total, and for each namespace, which take turns."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import zip_longest

from grpc_operator.resources import Key


class Turns:
    """A semaphore for tasks of namespaces: none waits for more than one task of each other one.

    Args:
        total: Most tasks at a time.
        of_namespace: Most of one namespace.
    """

    def __init__(self, total: int, of_namespace: int) -> None:
        self._total = total
        self._of_namespace = of_namespace
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def of(self, namespace: str) -> AsyncIterator[None]:
        """Waits for a turn of a namespace, and holds it."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(namespace, deque()).append(turn)
        self._give()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given in the same step
                self._end(namespace)
            raise
        try:
            yield
        finally:
            self._end(namespace)

    def _end(self, namespace: str) -> None:
        self._running[namespace] -= 1
        if not self._running[namespace]:
            del self._running[namespace]
        self._give()

    def _give(self) -> None:
        """Gives turns, one to each namespace after the other."""
        given = True
        while given and self._running.total() < self._total:
            given = False
            for namespace in [*self._waiting]:
                if self._running.total() >= self._total:
                    return
                if self._running[namespace] < self._of_namespace:
                    self._give_one(namespace)
                    given = True

    def _give_one(self, namespace: str) -> None:
        waiting = self._waiting.pop(namespace)
        turn = waiting.popleft()
        if waiting:  # to the end: the others are next
            self._waiting[namespace] = waiting
        if not turn.cancelled():  # nobody waits for it any more
            self._running[namespace] += 1
            turn.set_result(None)


def in_turns(keys: Iterable[Key], after: str = "") -> list[Key]:
    """Returns keys so that the first ones of all namespaces come first, then the second ones.

    Args:
        keys: In any order.
        after: The namespace whose turn was last: it comes last now.
    """
    by_namespace: dict[str, list[Key]] = {}
    for key in sorted(keys):
        by_namespace.setdefault(key.namespace, []).append(key)
    order = sorted(by_namespace, key=lambda namespace: (namespace <= after, namespace))
    turns = zip_longest(*(by_namespace[namespace] for namespace in order))
    return [key for turn in turns for key in turn if key is not None]
