"""What is to be done about the revisions of a GrpcService."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grpc_operator.api.reasons import Reason
from grpc_operator.rollout.memory import Memory
from grpc_operator.rollout.state import State


@dataclass(frozen=True)
class Announcement:
    """An Event that is due."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str


@dataclass(frozen=True)
class Progress:
    """Why the latest revision does not serve all calls, for the condition Ready.

    Attributes:
        stalled: Whether nothing will change until somebody changes the object.
    """

    reason: Reason
    message: str
    stalled: bool = False


@dataclass(frozen=True)
class Decision:
    """What is to be done, in this order: sizes, state, deletions.

    Attributes:
        state: For the status.
        memory: For the next reconciliation.
        sizes: Replicas by revision. The Deployment of the latest revision is created with them;
            one that has another number is scaled.
        delete: Revisions whose Deployment, Service and descriptor are to be deleted.
        announcements: Events, once the state has been written.
        requeue_after: Seconds until the next reconciliation even if nothing happens.
        progress: Why the object is not ready; ``None`` when nothing is left to do.
        remark: What is wrong with the annotation or ``spec.traffic``; empty if nothing is.
    """

    state: State
    memory: Memory = field(default_factory=Memory)
    sizes: Mapping[str, int] = field(default_factory=dict)
    delete: frozenset[str] = frozenset()
    announcements: tuple[Announcement, ...] = ()
    requeue_after: float | None = None
    progress: Progress | None = None
    remark: str = ""
