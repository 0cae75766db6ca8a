"""Periodic comparison of the store with the API server.

Watches lose deletions: after ``410 Gone`` kopf lists again without reporting what was deleted.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from grpc_operator.engine.queue import Queue
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError
from grpc_operator.resources import Key, Manifest, Resource

logger = logging.getLogger(__name__)

ListAll = Callable[[Resource], Awaitable[tuple[list[Manifest], int]]]
"""Lists every watched object of a resource; returns the items and the list's version."""


class Resync:
    """Lists everything, corrects the store, and enqueues every owner.

    Args:
        watched: What is listed.
        list_all: How everything is listed.
        store: What is corrected.
        queue: Gets every owner.
        corrected: Called when the store has been corrected, also if only in part.
    """

    def __init__(
        self,
        watched: Sequence[Resource],
        list_all: ListAll,
        store: Store,
        queue: Queue[Key],
        corrected: Callable[[], None],
    ) -> None:
        self._watched = watched
        self._list_all = list_all
        self._store = store
        self._queue = queue
        self._corrected = corrected
        self._finished: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the last complete resync; infinite before the first."""
        return float("inf") if self._finished is None else time.monotonic() - self._finished

    async def once(self) -> None:
        """Compares everything once.

        Raises:
            ClusterError: A list failed; what the others have is kept.
        """
        results = await asyncio.gather(*map(self._one, self._watched), return_exceptions=True)
        self._corrected()
        for error in filter(None, results):
            raise error
        for key in self._store.owners():
            self._queue.add(key)
        self._finished = time.monotonic()

    async def _one(self, resource: Resource) -> None:
        manifests, version = await self._list_all(resource)
        self._store.replace(resource, manifests, version)

    async def forever(self, period: float) -> None:
        """Compares everything every ``period`` seconds (plus up to a tenth), until cancelled."""
        while True:
            await asyncio.sleep(period * random.uniform(1.0, 1.1))  # noqa: S311 - not for secrets
            try:
                await self.once()
            except ClusterError as error:
                logger.warning("Resync failed, next try in %.0f s: %s", period, error)
