"""One reconciliation of a GrpcService."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grpc_operator import names
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.controlplane.attachment_state import AttachmentState, Built
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.descriptor_sources import Found
from grpc_operator.reconcile.programmed import Outcome
from grpc_operator.reconcile.rollout import Rollout
from grpc_operator.resources import Key, Manifest
from grpc_operator.rollout.state import State
from grpc_operator.status.pod_reports import PodReports

_AFTER_DECISION = 0.5
"""Seconds after which what was decided of revisions is followed by what comes next."""


@dataclass
class Reconciliation:
    """What one reconciliation has found out so far.

    Attributes:
        key: The GrpcService's.
        manifest: The GrpcService as it was read.
        service: The same, parsed; its last valid spec while it is invalid.
        pods: The pods of all revisions.
        reports: What else is known of them.
        inspect_after: Seconds until there may be more to know of them.
        blocking: Why the service could not be applied as a whole.
        rollout: Its revisions; ``None`` while its spec is invalid.
        descriptors: The descriptors of its revisions.
        state: What was last built of it for a gateway.
        gateway: The gateway.
        outcome: Whether the proxies serve it.
    """

    key: Key
    manifest: Manifest
    service: GrpcService
    pods: list[Manifest]
    reports: PodReports
    inspect_after: float | None
    blocking: BlockingErrors
    rollout: Rollout | None = None
    descriptors: Mapping[str, Found] = field(default_factory=dict)
    state: AttachmentState | None = None
    gateway: GrpcGateway | None = None
    outcome: Outcome | None = None

    @cached_property
    def known(self) -> State:
        """The revisions as the status says."""
        return State.read(self.manifest.get("status") or {})

    @property
    def revisions(self) -> State:
        """The revisions as they are to be reported."""
        decision = self.rollout.decision if self.rollout is not None else None
        return decision.state if decision is not None else self.known

    @property
    def stable(self) -> str:
        """Name of the Deployment that serves."""
        if self.rollout is not None:
            return self.rollout.layout.stable
        known = self.known.stable
        return known.name if known is not None else names.service_workload(self.key.name)

    @property
    def built(self) -> Built | None:
        """What the gateway serves, if the service is attached to one."""
        return self.state if isinstance(self.state, Built) else None

    @property
    def found(self) -> Found | None:
        """The descriptor of the stable revision; that of the latest one if only it is wrong."""
        if self.rollout is None:
            return None
        stable = self.descriptors.get(self.rollout.layout.stable)
        latest = self.descriptors.get(self.rollout.layout.latest.name)
        if stable is None or (stable.problem is None and latest is not None and latest.is_wrong):
            return latest
        return stable

    def earliest(self, after_report: float | None) -> float | None:
        """Returns the seconds until the next reconciliation, if one is due."""
        decision = self.rollout.decision if self.rollout is not None else None
        has_changed = not self.revisions.is_decided_like(self.known)
        due = [
            after_report,
            self.blocking.requeue_after,
            *(found.requeue_after for found in self.descriptors.values()),
            self.outcome.requeue_after if self.outcome is not None else None,
            decision.requeue_after if decision is not None else None,
            self.inspect_after,
            # No watch reports the operator's own status to it.
            _AFTER_DECISION if has_changed else None,
        ]
        return min((entry for entry in due if entry is not None), default=None)
