"""When the pods of a revision that gets no new calls are terminated."""

from dataclasses import replace

from grpc_operator import timestamps
from grpc_operator.api.types import seconds
from grpc_operator.rollout.state import State
from grpc_operator.rollout.turn import Turn

SETTLE = 5.0
"""Seconds for which a revision must be without calls: two reports of a proxy and the time that they
take, since a report may be older than the last call. Also the least time that it keeps its pods:
until the Services select those of the new one."""


def drain(turn: Turn, before: State) -> Turn:
    """Returns the turn with the sizes of the revisions that get no calls.

    Args:
        turn: With the new weights.
        before: The state whose weights the facts speak of.
    """
    is_known = turn.facts.weights_acknowledged and _weights(before) == _weights(turn.state)
    idle_since: dict[str, float] = {}
    for each in turn.state.revisions:
        if each.role not in {"Draining", "Failed", "Retired"} or turn.sizes.get(each.name):
            continue  # the latter waits for its pods, to get a share by spec.traffic
        if each.role == "Retired" or not turn.facts.desired(each.name):
            turn = _retire(turn, each.name)
            continue
        if is_known and turn.facts.in_flight(each.name) == 0:
            idle_since[each.name] = min(turn.memory.idle_since.get(each.name, turn.now), turn.now)
        left = _left(turn, each.name, idle_since.get(each.name), is_known=is_known)
        turn = _retire(turn, each.name) if left <= 0 else turn.again_in(min(left, SETTLE))
    return replace(turn, memory=replace(turn.memory, idle_since=idle_since))


def _left(turn: Turn, name: str, idle_since: float | None, *, is_known: bool) -> float:
    """Returns the seconds for which a revision keeps its pods, as far as is known."""
    revision = turn.state.get(name)
    began = timestamps.seconds(revision.since if revision is not None else None, turn.now)
    limit = began + seconds(turn.plan.streams.limit) - turn.now
    is_cut = turn.plan.streams.mode == "Drain" and is_known
    if is_cut or not turn.facts.has_gateway:
        return began + SETTLE - turn.now
    if idle_since is not None:
        return min(limit, idle_since + SETTLE - turn.now)
    return limit


def _retire(turn: Turn, name: str) -> Turn:
    revision = turn.state.get(name)
    if revision is not None and revision.role == "Draining":
        turn = turn.role(name, "Retired")
    return turn.scale(name, 0)


def _weights(state: State) -> dict[str, tuple[int | None, int | None, str | None]]:
    return {each.name: (each.percent, each.mirror_percent, each.tag) for each in state.serving}
