"""What the control plane knows of a service that asks for a gateway: one frozen value a stage.

``Unresolved`` or ``Attached`` is made of the objects of the cluster (``attachments``); ``Built`` is
what became of an ``Attached`` service in the snapshot of its gateway (``gateway_group``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grpc_operator.descriptor.model import Summary
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.budget_accounts import Refused
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import Attachment
from grpc_operator.gateway.merge import Denied
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
        descriptor: What it was made from.
        refused: What remains of the attachment that exceeds the budget; ``attachment`` is then the
            last accepted one, or has only the hosts.
        invalid: What is wrong with ``spec.gateway`` or the descriptor; the attachment is then the
            last good one.
        refs: Why the gateway that the service references now cannot serve it, if so: then the one
            that it was attached to goes on.
        left_out: The revisions that do not get the calls that the status gives them, and why: the
            stable one gets those.
    """

    generation: int
    gateway: Key
    attachment: Attachment | None = field(default=None, repr=False)
    descriptor: Summary | None = None
    refused: Refused | None = field(default=None, repr=False)
    invalid: InvalidSpecError | None = None
    refs: ConditionResult | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    def without(self, refused: Refused, served: Attachment) -> "Attached":
        """Returns it without an attachment that was refused, with what is served instead."""
        return replace(self, refused=refused, attachment=served)


@dataclass(frozen=True)
class Built:
    """A service as it is in the snapshot of its gateway.

    Attributes:
        attached: What it was built from: the last accepted attachment where a newer one exceeds
            the budget.
        endpoints: Number of addresses that take new calls, by revision.
        served: What it has of the hosts and items that it requests; ``None`` when nothing was
            built.
        denied: The hosts that it may not have, and why.
        conflicts: What others have already, and hosts that no listener accepts.
        config_hash: Stands for everything that was built for it; ``None`` when nothing was.
    """

    attached: Attached
    endpoints: Mapping[str, int] = field(default_factory=dict)
    served: Served | None = field(default=None, repr=False)
    denied: Denied = ()
    conflicts: tuple[Problem, ...] = ()
    config_hash: str | None = None

    @property
    def stable(self) -> str | None:
        """Name of the revision that gets the calls which no other one can take."""
        attachment = self.attached.attachment
        if attachment is None:
            return None
        return attachment.targets[0].revision if attachment.targets else attachment.key.name

    @property
    def weights(self) -> Mapping[str, int]:
        """The percentages of the calls by revision, as they are published; without those of 0."""
        attachment = self.attached.attachment
        if attachment is None:
            return {}
        targets = attachment.targets
        if not targets:
            return {attachment.key.name: 100}
        return {each.revision: each.percent for each in targets if each.percent}


AttachmentState = Unresolved | Built
"""What is known of a service after a build."""


def generation_of(state: AttachmentState) -> int:
    """Returns the ``metadata.generation`` that a state is about."""
    return state.attached.generation if isinstance(state, Built) else state.generation


def gateway_of(state: AttachmentState | None) -> Key | None:
    """Returns the GrpcGateway that a service is attached to, if any."""
    return state.attached.gateway if isinstance(state, Built) else None
