"""What the control plane knows of a service at its gateway, for its status."""

from dataclasses import dataclass, field

from grpc_operator.descriptor.model import Descriptor
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key
from grpc_operator.status.observed import Verdict


@dataclass(frozen=True)
class Edge:
    """One service as it was built into a gateway's configuration.

    Attributes:
        generation: The ``metadata.generation`` that was looked at.
        gateway: The GrpcGateway it is attached to, if there is one that takes it.
        refs: Why it is attached to none; ``None`` when it is.
        invalid: What is wrong with ``spec.gateway`` in the light of the descriptor.
        attachment: What is served.
        descriptor: What the attachment was made from.
        conflicts: What others had first.
        endpoints: How many addresses take new calls.
        token: Stands for everything that was built from it; ``None`` before.
    """

    generation: int
    gateway: Key | None = None
    refs: Verdict | None = None
    invalid: InvalidSpecError | None = None
    attachment: Attachment | None = field(default=None, repr=False)
    descriptor: Descriptor | None = field(default=None, repr=False)
    conflicts: tuple[Problem, ...] = ()
    endpoints: int = 0
    token: str | None = None
