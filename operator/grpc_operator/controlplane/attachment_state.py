"""What the control plane knows of a service that asks for a gateway: one frozen value a stage.

``Unresolved`` or ``Attached`` is made of the objects of the cluster (``attachments``); ``Built`` is
what became of an ``Attached`` service in the snapshot of its gateway (``gateway_group``).
"""

from dataclasses import dataclass, field

from grpc_operator.descriptor.model import Descriptor
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key
from grpc_operator.status.observed import ConditionResult


@dataclass(frozen=True)
class Unresolved:
    """A service that no gateway serves.

    Attributes:
        generation: The ``metadata.generation`` of the GrpcService.
        refs: The condition ResolvedRefs: there is no such gateway, or it does not admit it.
    """

    generation: int
    refs: ConditionResult


@dataclass(frozen=True)
class Attached:
    """A service and what it asks of its gateway.

    Attributes:
        generation: The ``metadata.generation`` of the GrpcService.
        gateway: The GrpcGateway.
        attachment: What is served; ``None`` while nothing can be.
        descriptor: What the attachment was made from.
        invalid: What is wrong with ``spec.gateway`` or the descriptor; the attachment is then the
            last good one.
    """

    generation: int
    gateway: Key
    attachment: Attachment | None = field(default=None, repr=False)
    descriptor: Descriptor | None = field(default=None, repr=False)
    invalid: InvalidSpecError | None = None


@dataclass(frozen=True)
class Built:
    """A service as it is in the snapshot of its gateway.

    Attributes:
        attached: What it was built from.
        endpoints: Number of addresses that take new calls.
        conflicts: What older services have already.
        config_hash: Stands for everything that was built for it; ``None`` when nothing was.
    """

    attached: Attached
    endpoints: int = 0
    conflicts: tuple[Problem, ...] = ()
    config_hash: str | None = None


AttachmentState = Unresolved | Built
"""What is known of a service after a build."""


def generation_of(state: AttachmentState) -> int:
    """Returns the ``metadata.generation`` that a state is about."""
    return state.attached.generation if isinstance(state, Built) else state.generation


def gateway_of(state: AttachmentState | None) -> Key | None:
    """Returns the GrpcGateway that a service is attached to, if any."""
    return state.attached.gateway if isinstance(state, Built) else None
