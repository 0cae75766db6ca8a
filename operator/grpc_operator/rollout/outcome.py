"""Begin and end of a rollout: what it changes in the state."""

from dataclasses import replace

from grpc_operator.api.status import RolloutStatus, VerdictStatus
from grpc_operator.rollout.turn import Turn
from grpc_operator.timestamps import rfc3339

_LONGEST = 1024
"""Characters of the message of a verdict that the CRD allows."""


def start(turn: Turn, name: str) -> Turn:
    """Returns the turn in which a revision is the candidate, without calls."""
    turn = turn.first(name).role(name, "Candidate").revision(name, verdict=None).share(name, 0)
    count = len(turn.plan.steps) if turn.facts.has_gateway else 0
    old = turn.state.rollout
    started = RolloutStatus(
        phase="Starting",
        candidate=name,
        step=1 if count else None,
        steps=count or None,
        command=old.command if old is not None else None,
    )
    memory = replace(turn.memory, candidate=None)
    return replace(turn, state=replace(turn.state, rollout=started), memory=memory)


def complete(turn: Turn, name: str) -> Turn:
    """Returns the turn in which a revision is the stable one, and has all calls."""
    old = turn.state.stable
    if old is not None:
        turn = turn.role(old.name, "Draining")
    turn = turn.role(name, "Stable").revision(name, verdict=None).share(name, 100)
    return settled(turn.scale(name, turn.facts.replicas))


def undone(turn: Turn, old: str, name: str) -> Turn:
    """Returns the turn in which a revision is stable once more, instead of one that was undone."""
    text = f"undone by a command; {name} has all calls"
    turn = complete(turn, name).role(old, "Failed").revision(old, verdict=said(text))
    return turn.rollout(phase="Failed", candidate=old, message=text)


def settled(turn: Turn) -> Turn:
    """Returns the turn without a rollout that is in progress."""
    return turn.rollout(
        phase="Completed",
        candidate=None,
        step=None,
        steps=None,
        since=rfc3339(turn.now),
        message=None,
    )


def fail(turn: Turn, name: str, verdict: VerdictStatus) -> Turn:
    """Returns the turn after a candidate has failed its analysis."""
    if not turn.plan.keeps_failed:
        return take_back(turn, name, verdict)
    return turn.revision(name, verdict=verdict)


def take_back(turn: Turn, name: str, verdict: VerdictStatus) -> Turn:
    """Returns the turn in which a candidate has failed, and the stable revision has all calls."""
    return failed(turn.role(name, "Failed").revision(name, verdict=verdict), name)


def failed(turn: Turn, name: str) -> Turn:
    """Returns the turn for a latest revision that has failed: the stable one has all calls."""
    revision, rollout, stable = turn.state.get(name), turn.state.rollout, turn.state.stable
    if stable is not None:
        turn = turn.share(stable.name, 100)
    if rollout is not None and (rollout.phase, rollout.candidate) == ("Failed", name):
        return turn
    verdict = revision.verdict if revision is not None else None
    return turn.rollout(
        phase="Failed",
        candidate=name,
        step=None,
        steps=None,
        since=rfc3339(turn.now),
        message=verdict.message if verdict is not None else f"{name} has failed before",
    )


def said(text: str) -> VerdictStatus:
    """Returns a verdict that is not about calls."""
    return VerdictStatus(message=text[:_LONGEST])
