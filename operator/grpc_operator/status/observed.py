"""The observed state from which the conditions of a GrpcService or GrpcGateway are computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest
from grpc_operator.status.pod_reports import PodReports


@dataclass(frozen=True)
class Cause:
    """Why an object makes no progress, for a reason outside its spec.

    Attributes:
        is_of_sidecar: Whether a sidecar has ended: pods are ready until it ends again.
    """

    reason: Reason | KubernetesReason
    message: str
    is_of_sidecar: bool = False


@dataclass(frozen=True)
class ConditionResult:
    """Status, reason and message of a condition that is computed elsewhere.

    Attributes:
        stalled: Whether nothing will change until somebody changes the spec.
    """

    status: Literal["True", "False", "Unknown"]
    reason: Reason | KubernetesReason
    message: str
    stalled: bool = False


@dataclass(frozen=True)
class Observed:
    """What one reconciliation observed.

    Attributes:
        owner: The object, as it was read.
        details: Fields of the status other than conditions and counters.
        invalid: Why the spec cannot be applied, if it cannot.
        blocked: What blocks the operator from applying the spec for now, if anything.
        deployment: The live Deployment, if it exists; that of the stable revision.
        autoscaler: The live HorizontalPodAutoscaler, if it exists.
        pods: The live pods of that Deployment.
        reports: What else is known of them, and when.
        refs: The condition ResolvedRefs; ``None`` when the spec refers to nothing.
        schema: The condition SchemaCompatible; ``None`` when no revisions are compared.
        programmed: The condition Programmed; ``None`` without a gateway.
        partially_invalid: The condition PartiallyInvalid, which is there only while it is true.
        rollout: Why the latest revision does not serve all calls, if it does not.
        remark: What is wrong although the object is ready; empty if nothing is.
    """

    owner: GrpcService | GrpcGateway
    details: Mapping[str, Any]
    reports: PodReports
    invalid: InvalidSpecError | None = None
    blocked: Cause | None = None
    deployment: Manifest | None = None
    autoscaler: Manifest | None = None
    pods: list[Manifest] = field(default_factory=list)
    refs: ConditionResult | None = None
    schema: ConditionResult | None = None
    programmed: ConditionResult | None = None
    partially_invalid: ConditionResult | None = None
    rollout: ConditionResult | None = None
    remark: str = ""

    @property
    def next_step(self) -> str:
        """What the operator itself is about to do; empty when it waits for others, or is done."""
        if self.invalid is not None or self.blocked is not None:
            return ""
        refs, programmed = self.refs, self.programmed
        if refs is not None and refs.status != "True":
            return refs.message if refs.reason == Reason.PROGRESSING else ""
        if programmed is None or programmed.reason != Reason.PENDING:
            return ""
        return programmed.message
