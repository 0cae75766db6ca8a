"""Which old revisions are kept."""

from dataclasses import replace

from grpc_operator.rollout.turn import Turn


def surplus(turn: Turn) -> frozenset[str]:
    """Returns the revisions that are to be deleted: those that exist and are not in the state."""
    return frozenset(name for name in turn.facts.workloads if turn.state.get(name) is None)


def prune(turn: Turn) -> Turn:
    """Returns the turn without the revisions that are older than those that are kept."""
    named = {each.revision for each in turn.plan.traffic} | {turn.facts.latest}
    old = [
        each.name
        for each in turn.state.revisions
        if each.role in {"Retired", "Failed"}
        and each.name not in named
        and _is_empty(turn, each.name)
    ]
    gone = set(old[turn.plan.history :])
    kept = tuple(each for each in turn.state.revisions if each.name not in gone)
    return replace(turn, state=replace(turn.state, revisions=kept))


def _is_empty(turn: Turn, name: str) -> bool:
    return turn.facts.desired(name) == 0 and turn.facts.ready(name) == 0
