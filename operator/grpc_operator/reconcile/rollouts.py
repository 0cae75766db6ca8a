"""Rolls out revisions: what is known of them goes into ``rollout.advance``."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from grpc_operator.api.rollout import LATEST
from grpc_operator.controlplane.attachment_state import AttachmentState, Built
from grpc_operator.desired.service import layout as layouts
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.ir import cluster_of
from grpc_operator.reconcile import rollout_facts
from grpc_operator.reconcile.programmed import Programmed
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.reconcile.revisions import Revisions
from grpc_operator.reconcile.rollout import Rollout
from grpc_operator.reconcile.rollout_facts import Traffic
from grpc_operator.reconcile.schema_gate import SchemaGate
from grpc_operator.resources import GRPC_SERVICES, Key
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.engine import advance
from grpc_operator.rollout.memory import Memory
from grpc_operator.rollout.state import State


class CallStatistics(Protocol):
    """The calls of revisions, as the proxies of all replicas count them."""

    def of(
        self, gateway: Key, service: Key, clusters: Mapping[str, str]
    ) -> Mapping[str, RevisionCalls] | None:
        """Returns totals, which never decrease, by revision; ``None`` while nothing is known.

        Args:
            gateway: The GrpcGateway.
            service: The GrpcService.
            clusters: The cluster of each revision.
        """

    def forget(self, service: Key) -> None:
        """Forgets a service that is gone, or whose calls do not matter any more."""


class Rollouts:
    """The rollouts of GrpcServices.

    Args:
        store: What the cluster is known to hold.
        programmed: Knows which proxies have which weights.
        statistics: Counts calls.
        schema_gate: Compares the schemas of revisions.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        programmed: Programmed,
        statistics: CallStatistics,
        schema_gate: SchemaGate,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._programmed = programmed
        self._statistics = statistics
        self._schema_gate = schema_gate
        self._clock = clock
        self._memories: dict[Key, Memory] = {}

    def forget(self, key: Key) -> None:
        """Forgets a service that is gone, or has no revisions."""
        self._memories.pop(key, None)
        self._schema_gate.forget(key)
        self._statistics.forget(key)

    async def advance(
        self, run: Reconciliation, revisions: Revisions, state: AttachmentState | None
    ) -> Rollout:
        """Returns what is to be done about the revisions of a service.

        Args:
            run: The reconciliation.
            revisions: The Deployments of the service.
            state: What was last built of it for a gateway.

        Raises:
            InvalidSpecError: ``spec.traffic`` names a revision that does not exist.
        """
        service = run.service
        if not revisions.are_used(run.known):
            self.forget(run.key)
            return Rollout(revisions, layouts.rolling(service, revisions.first))
        latest = revisions.latest(run.known)
        _check_traffic(run, {*revisions.deployments, latest.name})
        known = run.known
        traffic = await self._traffic(run, state if isinstance(state, Built) else None)
        stable = known.stable.name if known.stable is not None else latest.name
        schema = self._schema_gate.compared(run, stable, latest.name)
        facts = rollout_facts.facts(run, revisions, latest.name, traffic)
        facts = replace(facts, schema_ok=schema.is_passed)
        decision = advance(service.spec, known, facts, self._clock(), self._memories.get(run.key))
        if not decision.state.revisions:
            layout = layouts.rolling(service, revisions.first)
        else:
            layout = revisions.layout(latest, decision.state, decision.sizes)
        return Rollout(revisions, layout, decision, schema.condition)

    async def _traffic(self, run: Reconciliation, built: Built | None) -> Traffic:
        known = run.known
        calls: Mapping[str, RevisionCalls] | None = None
        if built is None or not _are_counted(known):
            self._statistics.forget(run.key)
        else:
            clusters = {each.name: cluster_of(run.key, each.name) for each in known.revisions}
            calls = self._statistics.of(built.attached.gateway, run.key, clusters)
        weights = rollout_facts.weights(known)
        has_weights = await self._programmed.has_weights(run.key, built, weights)
        return Traffic(built, calls or {}, has_weights)

    def is_published(self, run: Reconciliation) -> bool:
        """Returns whether the status has what was decided; then it is remembered what led there."""
        decision = run.rollout.decision if run.rollout is not None else None
        live = self._store.get(GRPC_SERVICES, run.key.namespace, run.key.name)
        if decision is None or live is None:
            return False
        if not decision.state.is_decided_like(State.read(live.get("status") or {})):
            return False
        self._memories[run.key] = decision.memory
        return True


def _are_counted(state: State) -> bool:
    """Whether calls matter: there is more than one revision with calls or pods."""
    return sum(each.role != "Retired" for each in state.revisions) > 1


def _check_traffic(run: Reconciliation, existing: Iterable[str]) -> None:
    """Checks that every revision that gets calls by ``spec.traffic`` exists.

    Raises:
        InvalidSpecError: One does not.
    """
    known = {*existing, LATEST}
    names = ", ".join(sorted(known))
    problems = [
        Problem(
            f"spec.traffic[{index}].revision",
            f"revision {each.revision} does not exist; use one of: {names}",
        )
        for index, each in enumerate(run.service.spec.traffic or ())
        if each.revision not in known
    ]
    if problems:
        raise InvalidSpecError(problems)
