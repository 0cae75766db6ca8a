"""Attempts to apply owners: a failure that the next attempt ends is not worth a report."""

import time
from collections.abc import Awaitable, Callable, Sequence

from grpc_operator.errors import ClusterError, InvalidSpecError
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.children import ChildError
from grpc_operator.resources import Key

_LONG = 3.0
"""Seconds after which even a first failure is reported: the next one may take as long."""


class Attempts:
    """Applies owners of one kind.

    Args:
        clock: Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: set[Key] = set()

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._failed.discard(key)

    async def make(self, key: Key, step: Awaitable[Sequence[ChildError]]) -> BlockingErrors:
        """Applies an owner and returns what keeps it from being applied as a whole.

        Args:
            key: The owner.
            step: Applies it; returns the errors of single children.

        Raises:
            ClusterError: The API server failed for the first time, for example since it is busy or
                an object has changed meanwhile; retry before anything is reported.
        """
        started = self._clock()
        try:
            errors: list[ChildError | ClusterError] = [*await step]
        except (InvalidSpecError, ClusterError) as error:
            errors = [error]
        blocking = BlockingErrors.of(errors)
        if blocking.failed is None:
            self._failed.discard(key)
            return blocking
        first = key not in self._failed
        self._failed.add(key)
        if first and self._clock() - started < _LONG:
            raise blocking.failed
        return blocking
