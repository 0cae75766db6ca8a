"""Everything that the conditions of a GrpcService or GrpcGateway are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest


@dataclass(frozen=True)
class Waiting:
    """The operator cannot go on by itself just now."""

    reason: Reason | KubernetesReason
    message: str


@dataclass(frozen=True)
class Verdict:
    """What one further condition says.

    Attributes:
        stalled: Whether nothing will change before somebody changes the spec.
    """

    status: Literal["True", "False", "Unknown"]
    reason: Reason
    message: str
    stalled: bool = False


@dataclass(frozen=True)
class Observed:
    """One look at an object.

    Attributes:
        owner: The object, as the reconcile read it.
        details: The fields of the status that are no conditions and no counters.
        invalid: Why the spec cannot be carried out, if so.
        waiting: What keeps the operator from carrying it out for now, if anything.
        deployment: The live Deployment, if it exists.
        pods: The live pods, old and new.
        refs: The condition ResolvedRefs; ``None`` when nothing is referred to.
        programmed: The condition Programmed; ``None`` without a gateway.
    """

    owner: GrpcService | GrpcGateway
    details: Mapping[str, Any]
    invalid: InvalidSpecError | None = None
    waiting: Waiting | None = None
    deployment: Manifest | None = None
    pods: list[Manifest] = field(default_factory=list)
    refs: Verdict | None = None
    programmed: Verdict | None = None
