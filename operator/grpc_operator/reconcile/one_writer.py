"""Leaves an object to another operator that reconciles it as well, if that one was there first.

Two installations may watch the same objects: both cluster-wide, or with namespaces or selectors
that overlap. They have Leases of their own and the same field manager, so each would undo what the
other writes. Whatever their scopes are, they meet in the status of the objects that both reconcile:
it names the Lease of the operator that wrote it. Of two operators that are alive, the one whose
Lease is older reconciles the object.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from grpc_operator.resources import Key

logger = logging.getLogger(__name__)

CHECK_PERIOD = 5.0
"""Seconds until an object of another operator is checked again: that operator may have ended."""

_FIRST_WRITE = 10.0
"""Seconds that an operator which is known to be older gets to report on a new object."""

Created = str
"""When a Lease was created (RFC 3339)."""

FindLease = Callable[[str], Awaitable[Created | None]]
"""Returns when the Lease ``NAMESPACE/NAME`` was created; ``None`` if nobody renews it."""


class OneWriter:
    """Decides for one operator which objects are its own.

    Args:
        own: Its Lease, as ``NAMESPACE/NAME``.
        own_created: Returns when that Lease was created.
        find_lease: Finds the Lease of another operator.
        clock: Returns seconds that only grow.
    """

    def __init__(
        self,
        own: str,
        own_created: Callable[[], Created],
        find_lease: FindLease,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._own_created = own_created
        self._find_lease = find_lease
        self._clock = clock
        self._left: dict[Key, str] = {}
        self._first_seen: dict[Key, float] = {}

    @property
    def left(self) -> Mapping[Key, str]:
        """The objects that are left to others, with the operator of each."""
        return self._left

    async def wait(self, key: Key, manifest: Mapping[str, Any] | None) -> float | None:
        """Returns the seconds until an object is to be considered again; ``None``: reconcile it.

        Raises:
            ClusterError: The API server does not say whether the other operator is alive.
        """
        if manifest is None:
            self._left.pop(key, None)
            self._first_seen.pop(key, None)
            return None
        named = (manifest.get("status") or {}).get("operator")
        if named is None:
            return await self._wait_for_older(key)
        self._first_seen.pop(key, None)
        if named != self._own and await self._is_older(named):
            self._leave(key, named)
            return CHECK_PERIOD
        self._left.pop(key, None)
        return None

    async def _wait_for_older(self, key: Key) -> float | None:
        """A new object: operators that are known to be older may be about to report on it."""
        begin = self._first_seen.setdefault(key, self._clock())
        left = begin + _FIRST_WRITE - self._clock()
        if left > 0 and [name for name in {*self._left.values()} if await self._is_older(name)]:
            return left
        self._first_seen.pop(key, None)
        return None

    async def _is_older(self, other: str) -> bool:
        created = await self._find_lease(other)
        return created is not None and (created, other) < (self._own_created(), self._own)

    def _leave(self, key: Key, other: str) -> None:
        if other not in self._left.values():
            logger.warning(
                "Standing by for %s %s and whatever else the operator with the Lease %s reconciles:"
                " two operators watch the same objects, and its Lease is older",
                key.kind,
                key.namespaced_name,
                other,
            )
        self._left[key] = other


def summary(left: Mapping[Key, str]) -> str:
    """Returns what /readyz says of the objects that are left to others; empty if there are none."""
    if not left:
        return ""
    others = ", ".join(sorted({*left.values()}))
    return f"standing by for {len(left)} objects, which the operator with the Lease {others} writes"
