"""The Leases of other operators: whether anybody renews them."""

import time

from grpc_operator.errors import ForbiddenError, NotFoundError
from grpc_operator.kube.connection import Connection
from grpc_operator.kube.lease import Renewals
from grpc_operator.resources import LEASES

_READ_PERIOD = 2.0
"""Seconds for which an answer counts: many objects may ask for the same Lease."""

_DURATION = 10.0
"""Seconds that a Lease lasts which does not say so itself."""


class OtherLeases:
    """Reads Leases, and remembers when they last changed.

    Args:
        connection: How to reach the API server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._renewals: dict[str, Renewals] = {}
        self._answers: dict[str, tuple[float, str | None]] = {}

    async def created(self, lease: str) -> str | None:
        """Returns when a Lease was created; ``None`` if nobody renews it.

        A Lease that may not be read counts as one that nobody renews: the chart of every operator
        lets every ServiceAccount read its Lease, so this one's is not installed any more.

        Args:
            lease: ``NAMESPACE/NAME``.

        Raises:
            ClusterError: The API server does not answer.
        """
        now = time.monotonic()
        read, answer = self._answers.get(lease, (float("-inf"), None))
        if now - read > _READ_PERIOD:
            answer = await self._read(lease, now)
            self._answers[lease] = now, answer
        return answer

    async def _read(self, lease: str, now: float) -> str | None:
        namespace, _, name = lease.partition("/")
        try:
            found = await self._connection.send("GET", LEASES.path(namespace, name))
        except (NotFoundError, ForbiddenError):
            return None
        spec = found.get("spec") or {}
        renewals = self._renewals.setdefault(lease, Renewals(_DURATION))
        if not spec.get("holderIdentity") or renewals.expired(spec, now):
            return None
        return str(found["metadata"].get("creationTimestamp") or "")
