"""Commands: the annotation ``grpc.infera.dev/rollout`` of a GrpcService.

The annotation stays where it is, and GitOps tools bring it back. So a command takes effect once:
``status.rollout.command`` has the last one, which has no further effect until the annotation
changes. Only ``pause`` holds as long as the annotation says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from grpc_operator import labels, quotes
from grpc_operator.rollout import outcome
from grpc_operator.rollout.turn import Turn

_MOST_QUOTED = 100
"""Characters of an annotation that a message repeats."""


@dataclass(frozen=True)
class Command:
    """What to do with a revision."""

    verb: str
    revision: str

    def __str__(self) -> str:
        return f"{self.verb} {self.revision}"


def parse(text: str | None) -> Command | None:
    """Returns the command of an annotation; ``None`` if it is none."""
    words = (text or "").split()
    if len(words) != 2 or words[0] not in _VERBS:  # noqa: PLR2004 - a verb and a name
        return None
    return Command(*words)


def target(turn: Turn) -> str:
    """Returns the revision that is to have all calls in the end.

    It is the latest one, or the one to which an ``undo`` goes back until that is done.
    """
    rollout = turn.state.rollout
    if rollout is not None and rollout.candidate is not None and is_undone(turn):
        return rollout.candidate
    return turn.facts.latest


def is_undone(turn: Turn) -> bool:
    """Whether the stable revision is being undone."""
    rollout, stable = turn.state.rollout, turn.state.stable
    if rollout is None or stable is None or rollout.command != f"undo {stable.name}":
        return False
    candidate = turn.state.get(rollout.candidate)
    return candidate is not None and candidate.role == "Candidate"


def is_promoted(turn: Turn, name: str) -> bool:
    """Whether somebody has promoted a candidate, so that nothing but its pods is waited for."""
    rollout = turn.state.rollout
    return (
        rollout is not None
        and rollout.phase == "Promoting"
        and rollout.command in {f"promote {name}", _undo(turn)}
    )


def apply(turn: Turn) -> Turn:
    """Returns the turn after the command of the annotation, if it has an effect."""
    text = " ".join((turn.facts.command or "").split())
    turn = _forget(turn, text)
    taken = turn.state.rollout.command if turn.state.rollout is not None else None
    if not text or text == taken:
        return turn
    command = parse(text)
    if command is None:
        return _remark(turn, f'"{quotes.one_line(text, _MOST_QUOTED)}" is not a command')
    after = _VERBS[command.verb](turn, command.revision)
    if after is None:
        # One of an earlier rollout may stay for ever, so it is only mentioned during another one.
        is_running = turn.state.rollout is not None and turn.state.rollout.phase != "Completed"
        return _remark(turn, f'"{command}" has no effect now') if is_running else turn
    return after if command.verb == "pause" else after.rollout(command=str(command))


def _undo(turn: Turn) -> str:
    stable = turn.state.stable
    return f"undo {stable.name}" if stable is not None else ""


def _forget(turn: Turn, text: str) -> Turn:
    """Returns the turn without the last command, once the annotation says something else."""
    rollout = turn.state.rollout
    if rollout is None or rollout.command in {None, text}:
        return turn
    is_used = is_undone(turn) or is_promoted(turn, rollout.candidate or "")
    return turn if is_used else turn.rollout(command=None)


def _candidate(turn: Turn) -> str | None:
    """Returns the revision that is being rolled out, unless it is one to go back to."""
    found = turn.state.get(turn.facts.latest)
    return found.name if found is not None and found.role == "Candidate" else None


def _promote(turn: Turn, name: str) -> Turn | None:
    if name != _candidate(turn) or turn.facts.schema_ok is False:
        return None
    return turn.revision(name, verdict=None).rollout(phase="Promoting")


def _pause(turn: Turn, name: str) -> Turn | None:
    return replace(turn, is_paused=True) if name == _candidate(turn) else None


def _resume(turn: Turn, name: str) -> Turn | None:
    revision = turn.state.get(name)
    if revision is not None and revision.role == "Failed" and name == turn.facts.latest:
        return outcome.start(turn, name)
    if revision is None or name != _candidate(turn):
        return None
    if revision.verdict is None:
        return turn
    # It begins its step anew: what it failed by does not count any more.
    memory = replace(turn.memory, candidate=None)
    return replace(turn, memory=memory).revision(name, verdict=None).rollout(since=None)


def _abort(turn: Turn, name: str) -> Turn | None:
    if name != _candidate(turn):
        return None
    return outcome.take_back(turn, name, outcome.said("aborted by a command"))


def _undo_(turn: Turn, name: str) -> Turn | None:
    before = _before(turn)
    if name != getattr(turn.state.stable, "name", None) or before is None or _candidate(turn):
        return None
    return outcome.start(turn, before).rollout(phase="Promoting", step=None, steps=None)


def _before(turn: Turn) -> str | None:
    """Returns the revision that was stable last and still exists; not one that was taken back."""
    served = [
        (each.promotion_time, each.name)
        for each in turn.state.revisions
        if each.promotion_time and each.role in {"Draining", "Retired"}
    ]
    existing = [each for each in served if each[1] in turn.facts.workloads]
    return max(existing)[1] if existing else None


_VERBS: Mapping[str, Callable[[Turn, str], Turn | None]] = {
    "promote": _promote,
    "pause": _pause,
    "resume": _resume,
    "abort": _abort,
    "undo": _undo_,
}


def _remark(turn: Turn, text: str) -> Turn:
    possible = ", ".join(f'"{each}"' for each in _possible(turn)) or "none"
    what = f"the annotation {labels.ROLLOUT_COMMAND}: {text}; possible now: {possible}"
    return replace(turn, remark=what)


def _possible(turn: Turn) -> list[str]:
    """Returns the commands that would have an effect."""
    names = [each.name for each in turn.state.revisions]
    return [
        f"{verb} {name}"
        for verb, handle in _VERBS.items()
        for name in names
        if handle(turn, name) is not None
    ]
