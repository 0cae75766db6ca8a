"""Everything that the conditions of a GrpcService are computed from."""

from dataclasses import dataclass, field

from grpc_operator.api import GrpcService
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest


@dataclass(frozen=True)
class Waiting:
    """The operator cannot go on by itself just now."""

    reason: str
    message: str


@dataclass(frozen=True)
class Observed:
    """One look at a GrpcService.

    Attributes:
        service: The object, as the reconcile read it.
        url: Target for gRPC clients.
        selector: Label selector of the pods.
        invalid: Why the spec cannot be carried out, if so.
        waiting: What keeps the operator from carrying it out for now, if anything.
        deployment: The live Deployment, if it exists.
        pods: The live pods, old and new.
    """

    service: GrpcService
    url: str
    selector: str
    invalid: InvalidSpecError | None = None
    waiting: Waiting | None = None
    deployment: Manifest | None = None
    pods: list[Manifest] = field(default_factory=list)
