"""Attempts: when a transaction that has failed is tried again."""

import asyncio
import logging
import random

from grpc_service_kit.sql.faults import Fault, described, fault_of

_MOST = {Fault.CLASH: 8, Fault.MOVED: 4}
"""How often a transaction is tried that clashes with others each time, and one whose connections
are lost each time: a caller that waits longer for another server should do so by itself."""
_PAUSE = 0.01
"""Seconds before the second attempt; twice as long before each further one."""

logger = logging.getLogger(__name__)


class Attempts:
    """The attempts at one transaction."""

    def __init__(self) -> None:
        """Begin with the first."""
        self.committing = False
        """Whether the database may have committed already, so that a lost connection says nothing.
        Until then it cannot have: a transaction is committed when the client says so."""
        self._number = 1

    async def pause_after(self, error: Exception) -> None:
        """Return when it is time for the next attempt; raise the error when there is none."""
        fault = fault_of(error)
        unknown = fault is Fault.MOVED and self.committing
        if unknown or fault not in _MOST or self._number >= _MOST[fault]:
            raise error
        what = "clashed" if fault is Fault.CLASH else "lost its connection"
        logger.info("database: attempt %d %s: %s", self._number, what, described(error))
        await asyncio.sleep(random.uniform(0.5, 1) * _PAUSE * 2**self._number)  # noqa: S311
        self._number += 1
