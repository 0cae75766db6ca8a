"""Whether a new revision breaks callers of the stable one, found out beside the workers."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

from grpc_operator import descriptor as descriptors
from grpc_operator import hashing
from grpc_operator.api import GrpcService
from grpc_operator.api.rollout import SchemaCheck
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.descriptor.compat import Verdict
from grpc_operator.engine.calls import Calls
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import schema
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.resources import Key
from grpc_operator.status import schema_compatible
from grpc_operator.status.observed import ConditionResult


@dataclass(frozen=True)
class Compared:
    """What came of it.

    Attributes:
        condition: SchemaCompatible; ``None`` when nothing is to be compared.
        is_passed: Whether the new revision may get calls; ``None`` while that is not known.
    """

    condition: ConditionResult | None = None
    is_passed: bool | None = True


class SchemaGate:
    """Compares the pinned descriptors of the latest and the stable revision.

    Args:
        calls: Where they are compared.
        cache: Loads descriptors.
    """

    def __init__(self, calls: Calls[Verdict], cache: DescriptorCache) -> None:
        self._calls = calls
        self._cache = cache
        self._known: dict[Key, tuple[Hashable, Verdict | None]] = {}

    def forget(self, key: Key) -> None:
        """Forgets a service that is gone, or has nothing to compare."""
        self._calls.forget(key)
        self._known.pop(key, None)

    def compared(self, run: Reconciliation, stable: str, latest: str) -> Compared:
        """Returns whether a revision breaks callers of another one.

        Args:
            run: The reconciliation, with the descriptors of both.
            stable: Name of the revision that callers know.
            latest: Name of the one that is to replace it.
        """
        check = _check(run.service)
        if check is None or stable == latest:
            self.forget(run.key)
            return Compared()
        verdict = self._verdict(run, check, stable, latest)
        return Compared(
            schema_compatible.condition(check, stable, latest, verdict),
            schema_compatible.is_passed(check, verdict),
        )

    def _verdict(
        self, run: Reconciliation, check: SchemaCheck, stable: str, latest: str
    ) -> Verdict | None:
        known = [run.descriptors.get(name) for name in (stable, latest)]
        pinned = [each.pinned.data for each in known if each is not None and each.pinned]
        if len(pinned) < len(known):
            return None
        service, allow = run.service, tuple(check.allow or ())
        stamp = (*map(hashing.digest, pinned), service.spec.gateway, allow)
        before = self._known.get(run.key)
        if before is not None and before[0] == stamp:
            return before[1]

        async def compare() -> Verdict:
            old, new = [await self._cache.load(service, data, descriptors.EVERY) for data in pinned]
            return await asyncio.to_thread(schema.compare, service.spec.gateway, old, new, allow)

        try:
            verdict = self._calls.result(run.key, stamp, compare)
        except InvalidSpecError:
            # The same set stays wrong: another try would end, and ask for the next one, for ever.
            self._known[run.key] = stamp, None
            return None
        if verdict is not None:
            self._known[run.key] = stamp, verdict
        return verdict


def _check(service: GrpcService) -> SchemaCheck | None:
    """Returns how schemas are compared; ``None`` when nobody can be broken by them."""
    rollout = service.spec.rollout
    if rollout is None or not service.spec.has_revisions or service.spec.gateway is None:
        return None
    return rollout.schema_check if rollout.schema_check.mode != "Disabled" else None
