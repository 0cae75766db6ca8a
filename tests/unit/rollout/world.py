"""A simulated cluster with the Deployments and the proxies of one GrpcService."""

from dataclasses import dataclass, field, replace
from typing import Any

from grpc_operator.api.grpc_service import GrpcServiceSpec
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.decision import Announcement, Decision
from grpc_operator.rollout.engine import advance
from grpc_operator.rollout.facts import Facts, Workload
from grpc_operator.rollout.memory import Memory
from grpc_operator.rollout.state import State

START = 1_800_000_000.0
CANDIDATE = "users-22222222"
_IDLE = RevisionCalls(in_flight=0)


def spec(**fields: Any) -> GrpcServiceSpec:
    """Returns a spec with what these tests do not care about."""
    return GrpcServiceSpec.model_validate({"image": "registry/users:1", "port": 50051, **fields})


@dataclass
class World:
    """A cluster in which pods become ready and proxies acknowledge by the next turn.

    Attributes:
        spec: The spec of the service ``users``.
        latest: The revision of its pod template.
        freeze: Whether the pods stay as they are.
        frozen: Deployments that are not created.
        others: Further facts.
    """

    spec: GrpcServiceSpec
    latest: str = "users"
    replicas: int = 4
    now: float = START
    state: State = field(default_factory=State)
    memory: Memory | None = None
    workloads: dict[str, Workload] = field(default_factory=dict)
    calls: dict[str, RevisionCalls] = field(default_factory=dict)
    announced: list[Announcement] = field(default_factory=list)
    acknowledges: bool = True
    freeze: bool = False
    frozen: set[str] = field(default_factory=set)
    others: dict[str, Any] = field(default_factory=dict)
    _weights: dict[str, int] = field(default_factory=dict)

    def facts(self) -> Facts:
        """Returns what a reconciliation would know."""
        facts = Facts(
            "users",
            self.latest,
            self.replicas,
            dict(self.workloads),
            weights_acknowledged=self._weights == self.percents(),
            calls={**dict.fromkeys(self.workloads, _IDLE), **self.calls},
        )
        return replace(facts, **self.others)

    def turn(self, seconds: float = 0.0) -> Decision:
        """Reconciles once, some seconds later, and lets the cluster do what was decided."""
        self.now += seconds
        if self.acknowledges:
            self._weights = self.percents()
        decision = advance(self.spec, self.state, self.facts(), self.now, self.memory)
        self.state, self.memory = decision.state, decision.memory
        self.announced += decision.announcements
        for name, size in decision.sizes.items():
            if not self.freeze and name not in self.frozen:
                old = self.workloads.get(name, Workload(0))
                self.workloads[name] = replace(old, desired=size, ready=size, updated=size)
        for name in decision.delete:
            del self.workloads[name]
        return decision

    def run(self, seconds: int) -> None:
        """Reconciles once a second, and in a long time every 10 s."""
        period = 1 if seconds <= 200 else 10
        for _ in range(0, seconds, period):
            self.turn(period)

    def until(self, phase: str) -> None:
        """Reconciles until the rollout is in a phase."""
        for _ in range(10_000):
            if self.phase == phase:
                return
            self.turn(1)
        raise AssertionError(f"the phase stays {self.phase}")

    def begin(self, *, usable: bool = True) -> None:
        """Has ``users`` serve, and the pod template changed."""
        self.turn()
        self.turn(1)
        self.latest = CANDIDATE
        if not usable:
            self.frozen.add(CANDIDATE)

    def command(self, text: str | None) -> None:
        """Sets the annotation."""
        self.others = {**self.others, "command": text}

    @property
    def phase(self) -> str | None:
        """The phase of the rollout."""
        return self.state.rollout.phase if self.state.rollout is not None else None

    def percents(self) -> dict[str, int]:
        """Returns the revisions that get calls, and their percentages."""
        return {each.name: each.percent for each in self.state.revisions if each.percent}

    def roles(self) -> dict[str, str]:
        """Returns the role of each revision."""
        return {each.name: each.role for each in self.state.revisions}
