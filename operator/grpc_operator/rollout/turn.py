"""One evaluation of a rollout: what is known, and what has been decided so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grpc_operator.api.status import RevisionStatus, RolloutStatus
from grpc_operator.rollout.facts import Facts
from grpc_operator.rollout.memory import Memory
from grpc_operator.rollout.plan import Plan
from grpc_operator.rollout.state import State
from grpc_operator.timestamps import rfc3339


@dataclass(frozen=True)
class Turn:
    """One evaluation; each decision returns another one.

    Attributes:
        now: Seconds since the epoch.
        state: As decided so far.
        sizes: Replicas by revision, as decided so far.
        due: Seconds until something is due.
        is_paused: Whether a command pauses the rollout.
        remark: What is wrong with the annotation or ``spec.traffic``.
    """

    plan: Plan
    facts: Facts
    now: float
    state: State
    memory: Memory
    sizes: Mapping[str, int] = field(default_factory=dict)
    due: tuple[float, ...] = ()
    is_paused: bool = False
    remark: str = ""

    def revision(self, name: str, **fields: Any) -> "Turn":
        """Returns it with some fields of a revision changed."""
        revisions = tuple(
            each.model_copy(update=fields) if each.name == name else each
            for each in self.state.revisions
        )
        return replace(self, state=replace(self.state, revisions=revisions))

    def role(self, name: str, role: str) -> "Turn":
        """Returns it with a revision in another role, from now on; the same if it has the role."""
        revision = self.state.get(name)
        if revision is not None and revision.role == role:
            return self
        fields: dict[str, Any] = {"role": role, "since": rfc3339(self.now), "tag": None}
        if role not in {"Stable", "Candidate", "Serving"}:
            fields |= {"percent": None, "mirror_percent": None}
        if role == "Stable":
            fields["promotion_time"] = fields["since"]
        return self.revision(name, **fields)

    def first(self, name: str) -> "Turn":
        """Returns it with a revision as the newest, added as a retired one if it is unknown."""
        known = self.state.get(name) or RevisionStatus(
            name=name, role="Retired", since=rfc3339(self.now)
        )
        others = tuple(each for each in self.state.revisions if each.name != name)
        return replace(self, state=replace(self.state, revisions=(known, *others)))

    def share(self, candidate: str, percent: int, mirror_percent: int | None = None) -> "Turn":
        """Returns it with a percentage for one revision, and the rest for the stable one."""
        shares = {candidate: percent}
        stable = self.state.stable
        if stable is not None and stable.name != candidate:
            shares[stable.name] = 100 - percent
        revisions = tuple(
            each.model_copy(
                update={
                    "percent": shares.get(each.name),
                    "mirror_percent": mirror_percent or None if each.name == candidate else None,
                }
            )
            for each in self.state.revisions
        )
        return replace(self, state=replace(self.state, revisions=revisions))

    def rollout(self, **fields: Any) -> "Turn":
        """Returns it with some fields of the rollout changed."""
        old = self.state.rollout or RolloutStatus(phase="Completed")
        return replace(self, state=replace(self.state, rollout=old.model_copy(update=fields)))

    def scale(self, name: str, replicas: int) -> "Turn":
        """Returns it with the size of a revision."""
        return replace(self, sizes={**self.sizes, name: replicas})

    def again_in(self, seconds: float) -> "Turn":
        """Returns it with another time at which the rollout is to be evaluated."""
        return replace(self, due=(*self.due, max(seconds, 0.1)))
