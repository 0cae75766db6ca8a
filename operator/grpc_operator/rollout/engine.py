"""Advances the rollout of a GrpcService by one evaluation."""

from collections.abc import Mapping

from grpc_operator.api.grpc_service import GrpcServiceSpec
from grpc_operator.rollout import commands, drain, history, outcome, roster, steps, summary, traffic
from grpc_operator.rollout.decision import Decision
from grpc_operator.rollout.facts import Facts
from grpc_operator.rollout.memory import Memory
from grpc_operator.rollout.plan import Plan
from grpc_operator.rollout.state import State
from grpc_operator.rollout.turn import Turn


def advance(
    spec: GrpcServiceSpec, state: State, facts: Facts, now: float, memory: Memory | None = None
) -> Decision:
    """Returns what is to be done about the revisions of a GrpcService.

    It depends on nothing else, and doing it once more changes nothing: the same facts lead to the
    same state, apart from a step that takes effect only when its weights have been acknowledged.

    Args:
        spec: What its author wants.
        state: What the status says.
        facts: What is known of the cluster and the proxies.
        now: Seconds since the epoch.
        memory: That of the decision before this one; ``None`` in a new leader.
    """
    plan = Plan.of(spec)
    if plan.mode == "RollingUpdate" and _is_alone(state, facts):
        return Decision(State())
    turn = Turn(plan, facts, now, roster.known(state, facts, now), memory or Memory())
    turn = traffic.apply(turn) if plan.mode == "Traffic" else _roll(turn)
    turn = history.prune(drain.drain(turn, state))
    return _decision(turn, state)


def _is_alone(state: State, facts: Facts) -> bool:
    """Whether there is no revision but the one of a service without a rollout."""
    names = {each.name for each in state.revisions} | facts.workloads.keys()
    return names <= {facts.service}


def _roll(turn: Turn) -> Turn:
    """Returns the next decision about the revision that is to have all calls."""
    turn = _begin(_supersede(turn))
    if turn.plan.mode != "RollingUpdate":
        turn = _supersede(commands.apply(turn))
    name, stable = commands.target(turn), turn.state.stable
    if stable is not None:
        turn = turn.scale(stable.name, turn.facts.replicas)
    revision = turn.state.get(name)
    if revision is not None and revision.role == "Candidate":
        return steps.run(turn, name)
    if revision is not None and revision.role == "Failed":
        return outcome.failed(turn, name)
    return _settled(turn, name)


def _begin(turn: Turn) -> Turn:
    """Returns the turn in which the revision that is to have all calls has a role."""
    name, stable = commands.target(turn), turn.state.stable
    if stable is None:
        return turn.first(name).role(name, "Stable").share(name, 100)
    if stable.name == name:
        return turn
    revision, rollout = turn.state.get(name), turn.state.rollout
    is_failed = revision is not None and revision.role == "Failed"
    if is_failed and turn.plan.mode != "RollingUpdate":
        return turn
    is_candidate = revision is not None and revision.role == "Candidate"
    is_running = rollout is not None and rollout.candidate == name
    return turn if is_candidate and is_running else outcome.start(turn, name)


def _supersede(turn: Turn) -> Turn:
    """Returns the turn in which no other revision is being rolled out."""
    name = commands.target(turn)
    for each in turn.state.revisions:
        if each.role in {"Candidate", "Serving"} and each.name != name:
            turn = turn.role(each.name, "Draining")
    return turn


def _settled(turn: Turn, stable: str) -> Turn:
    """Returns a turn in which the stable revision is the one that is wanted."""
    turn = turn.first(stable).share(stable, 100)
    rollout = turn.state.rollout
    if rollout is None or rollout.phase == "Completed":
        return turn
    return outcome.settled(turn)


def _decision(turn: Turn, before: State) -> Decision:
    state = summary.observed(turn)
    waiting = summary.progress(turn, state)
    return Decision(
        state,
        turn.memory,
        _sizes(turn, state),
        history.surplus(turn),
        summary.announcements(before, state),
        min(turn.due, default=None),
        waiting,
        turn.remark,
    )


def _sizes(turn: Turn, state: State) -> Mapping[str, int]:
    """Returns the replicas of Deployments that exist or can be created."""
    possible = {*turn.facts.workloads, turn.facts.latest}
    return {
        name: size
        for name, size in turn.sizes.items()
        if name in possible and state.get(name) is not None
    }
