"""The observed state from which the conditions of a GrpcService or GrpcGateway are computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest


@dataclass(frozen=True)
class Cause:
    """Why an object makes no progress, for a reason outside its spec."""

    reason: Reason | KubernetesReason
    message: str


@dataclass(frozen=True)
class ConditionResult:
    """Status, reason and message of a condition that is computed elsewhere.

    Attributes:
        stalled: Whether nothing will change until somebody changes the spec.
    """

    status: Literal["True", "False", "Unknown"]
    reason: Reason
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
        deployment: The live Deployment, if it exists.
        pods: The live pods of every revision.
        refs: The condition ResolvedRefs; ``None`` when the spec refers to nothing.
        programmed: The condition Programmed; ``None`` without a gateway.
    """

    owner: GrpcService | GrpcGateway
    details: Mapping[str, Any]
    invalid: InvalidSpecError | None = None
    blocked: Cause | None = None
    deployment: Manifest | None = None
    pods: list[Manifest] = field(default_factory=list)
    refs: ConditionResult | None = None
    programmed: ConditionResult | None = None
