"""How the latest revision is to be rolled out, from the spec with its defaults."""

from dataclasses import dataclass, field
from typing import Literal

from grpc_operator.api.grpc_service import GrpcServiceSpec
from grpc_operator.api.rollout import Analysis, Step, Streams, Traffic
from grpc_operator.api.types import seconds

CANARY_STEPS = (
    Step(weight=5, hold="2m"),
    Step(weight=25, hold="5m"),
    Step(weight=50, hold="5m"),
)
BLUE_GREEN_STEPS = (Step(weight=100, hold="5m"),)

Mode = Literal["RollingUpdate", "Steps", "Manual", "Traffic"]


@dataclass(frozen=True)
class Plan:
    """How revisions get their calls.

    Attributes:
        mode: ``RollingUpdate`` has one revision, the others one for each pod template.
        steps: Steps before the latest revision gets all calls; none but in the mode ``Steps``.
        traffic: ``spec.traffic``.
        analysis: How a candidate is judged; ``None`` when it is not.
        keeps_failed: Whether a candidate that fails keeps its weight until somebody decides.
        streams: What happens to calls of a revision that gets no new ones.
        tag: Tag of a candidate.
        history: Number of revisions without pods to keep.
    """

    mode: Mode = "RollingUpdate"
    steps: tuple[Step, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    analysis: Analysis | None = None
    keeps_failed: bool = False
    streams: Streams = field(default_factory=Streams)
    tag: str | None = None
    history: int = 0

    @classmethod
    def of(cls, spec: GrpcServiceSpec) -> "Plan":
        """Returns the plan of a spec."""
        rollout = spec.rollout
        if spec.traffic is not None:
            history = rollout.revision_history_limit if rollout is not None else 3
            streams = rollout.streams if rollout is not None else Streams()
            return cls("Traffic", traffic=tuple(spec.traffic), streams=streams, history=history)
        if rollout is None or rollout.strategy == "RollingUpdate":
            return cls()
        default = BLUE_GREEN_STEPS if rollout.strategy == "BlueGreen" else CANARY_STEPS
        is_manual = rollout.strategy == "Manual"
        return cls(
            "Manual" if is_manual else "Steps",
            () if is_manual else tuple(rollout.steps or default),
            analysis=rollout.analysis if rollout.analysis.mode == "Enabled" else None,
            keeps_failed=rollout.on_failure == "Pause",
            streams=rollout.streams,
            tag=rollout.tag,
            history=rollout.revision_history_limit,
        )


def hold_of(step: Step) -> float:
    """Returns how long a step lasts in seconds."""
    return seconds(step.hold) if step.hold is not None else 0.0


def size(percent: int, replicas: int) -> int:
    """Returns the pods that a revision needs for its share, at least one.

    Args:
        percent: Percentage of the calls.
        replicas: Pods that all calls need.
    """
    return max(1, -(-percent * replicas // 100)) if replicas else 0
