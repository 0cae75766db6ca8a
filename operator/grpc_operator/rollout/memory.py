"""What the leader remembers of a rollout between two reconciliations, and may lose."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.facts import Facts

Calls = Mapping[str, RevisionCalls]


@dataclass(frozen=True)
class Memory:
    """What is not in the status, since it changes with every call.

    A leader that begins without it counts the hold from when the weights were published, and the
    calls from then on.

    Attributes:
        candidate: The revision that it is about.
        step: The step that it is about.
        since: When the weights of the step were published, in seconds since the epoch; ``None``
            before that.
        held_from: When every proxy was first seen to have the weights; ``None`` before that.
        at_start: Totals when the rollout began.
        at_step: Totals when the step began.
        idle_since: When a revision without weight was first seen without calls.
    """

    candidate: str | None = None
    step: int = 0
    since: float | None = None
    held_from: float | None = None
    at_start: Calls = field(default_factory=dict)
    at_step: Calls = field(default_factory=dict)
    idle_since: Mapping[str, float] = field(default_factory=dict)

    def of(self, candidate: str, step: int, facts: Facts) -> "Memory":
        """Returns what is remembered of a step; what was counted before is left out."""
        if self.candidate != candidate:
            return Memory(candidate, step, None, None, facts.calls, facts.calls, self.idle_since)
        if self.step != step:
            return replace(self, step=step, since=None, held_from=None, at_step=facts.calls)
        return replace(
            self,
            at_start={**facts.calls, **self.at_start},
            at_step={**facts.calls, **self.at_step},
        )

    def calls_of_step(self, revision: str, facts: Facts) -> RevisionCalls:
        """Returns the calls of a revision since the step began."""
        return _since(facts.calls, self.at_step, revision)

    def calls(self, revision: str, facts: Facts) -> RevisionCalls:
        """Returns the calls of a revision since the rollout began."""
        return _since(facts.calls, self.at_start, revision)

    def published(self, now: float) -> "Memory":
        """Returns the memory after the weights of the step were published."""
        return replace(self, since=now, held_from=None)

    def held(self, since: float, now: float, *, acknowledged: bool) -> "Memory":
        """Returns the memory with the time from which the hold of a step counts.

        Args:
            since: When the weights were published, as the status has it.
            now: Seconds since the epoch. A clock that was set back makes a hold longer, by no more
                than its length.
            acknowledged: Whether every proxy has the weights.
        """
        start = self.held_from
        if start is None and acknowledged:
            start = since if self.since is None else now
        return replace(
            self, since=self.since or since, held_from=None if start is None else min(start, now)
        )


def _since(now: Calls, before: Calls, revision: str) -> RevisionCalls:
    found = now.get(revision, RevisionCalls())
    return found.since(before[revision]) if revision in before else RevisionCalls()
