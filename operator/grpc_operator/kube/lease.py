"""Leader election by a coordination.k8s.io Lease: one replica writes, the others are warm.

Like client-go's leaderelection, a candidate trusts only its own clock: a Lease counts as free when
its record has not changed for its duration as seen from here.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grpc_operator.errors import ClusterError, ConflictError, LeaseLostError, NotFoundError
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import LEASES, Manifest

logger = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two attempts of a candidate; bounds the takeover after a clean stop."""


class Renewals:
    """Whether the holder of a Lease still renews it, by this process's clock alone.

    Args:
        duration: Seconds that a Lease lasts which does not say so itself.
    """

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._seen: tuple[Any, float] = (None, time.monotonic())

    def expired(self, spec: Mapping[str, Any], now: float) -> bool:
        """Returns whether a Lease as it was just read has not changed for its duration."""
        record = (spec.get("holderIdentity"), spec.get("renewTime"))
        if record != self._seen[0]:
            self._seen = (record, now)
        return now - self._seen[1] > float(spec.get("leaseDurationSeconds") or self._duration)


class Lease:
    """The Lease as this replica sees it.

    Attributes:
        created: When it was created (RFC 3339), once it was read.

    Args:
        connection: How to reach the API server.
        where: Namespace and name of the Lease.
        identity: Holder name of this replica.
        duration: Seconds after which an unrenewed Lease is free.
    """

    def __init__(
        self, connection: Connection, where: tuple[str, str], identity: str, duration: int
    ) -> None:
        self._connection = connection
        self._namespace, self._name = where
        self._identity = identity
        self._duration = duration
        self._renewed: float | None = None
        self._renewals = Renewals(duration)
        self.created = ""

    @property
    def held(self) -> bool:
        """Whether this replica may write.

        It stops a third of the duration before another one may take over, so that requests on
        their way have that long to arrive.
        """
        return self._renewed is not None and time.monotonic() - self._renewed < self._deadline

    @property
    def _deadline(self) -> float:
        return self._duration * 2 / 3

    @property
    def _request_timeout(self) -> float:
        return self._duration / 5

    async def acquire(self) -> None:
        """Waits until this replica is the holder."""
        reported = None
        while True:
            try:
                holder = await self._try()
            except ClusterError as error:
                logger.warning("Lease %s: %s", self._name, error)
            else:
                if holder == self._identity:
                    logger.info("Lease %s acquired by %s", self._name, holder)
                    return
                if holder != reported:
                    logger.info("Lease %s is held by %s; standing by", self._name, holder)
                    reported = holder
            await asyncio.sleep(POLL)

    async def keep(self) -> None:
        """Renews the Lease until cancelled.

        Raises:
            LeaseLostError: It was not renewed in time, or another replica holds it.
        """
        while True:
            await asyncio.sleep(self._duration / 5)
            try:
                holder = await self._try()
            except ClusterError as error:
                logger.warning("Lease %s not renewed: %s", self._name, error)
            else:
                if holder != self._identity:
                    self._renewed = None
                    raise LeaseLostError(f"Lease {self._name} was taken by {holder}")
            if not self.held:
                raise LeaseLostError(f"Lease {self._name} was not renewed in time")

    async def release(self) -> None:
        """Gives the Lease up, so that another replica need not wait for its end."""
        if not self.held:
            return
        self._renewed = None
        try:
            lease = await self._send("GET", self._path)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._send("PUT", self._path, lease)
                logger.info("Lease %s released", self._name)
        except ClusterError as error:
            logger.warning("Lease %s not released, it ends by itself: %s", self._name, error)

    @property
    def _path(self) -> str:
        return LEASES.path(self._namespace, self._name)

    async def _try(self) -> str:
        """Acquires or renews if possible; returns the holder after the attempt."""
        started = time.monotonic()
        try:
            lease = await self._send("GET", self._path)
        except NotFoundError:
            created = await self._write("POST", LEASES.path(self._namespace), self._new())
            return self._acquired(created, started)
        spec = lease["spec"]
        holder = str(spec.get("holderIdentity") or "")
        if holder not in {"", self._identity} and not self._renewals.expired(spec, started):
            return holder
        taken = holder != self._identity
        lease["spec"] = spec | self._claim(taken, int(spec.get("leaseTransitions") or 0))
        return self._acquired(await self._write("PUT", self._path, lease), started)

    def _acquired(self, written: bool, started: float) -> str:  # noqa: FBT001 - private
        if not written:
            return "another replica"
        self._renewed = started
        return self._identity

    def _claim(self, taken: bool, transitions: int) -> dict[str, Any]:  # noqa: FBT001 - private
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        claim: dict[str, Any] = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._duration,
            "renewTime": now,
        }
        if taken:
            claim |= {"acquireTime": now, "leaseTransitions": transitions + 1}
        return claim

    def _new(self) -> Manifest:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": self._namespace, "name": self._name},
            "spec": self._claim(True, -1),
        }

    async def _write(self, method: str, path: str, lease: Manifest) -> bool:
        # The resource version inside the Lease makes the write conditional.
        try:
            await self._send(method, path, lease)
        except ConflictError:
            return False
        return True

    async def _send(self, method: str, path: str, body: Any = None) -> Manifest:
        lease = await self._connection.send(method, path, body=body, timeout=self._request_timeout)
        self.created = str(lease["metadata"].get("creationTimestamp") or "")
        return lease
