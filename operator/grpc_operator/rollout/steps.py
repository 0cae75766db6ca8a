"""The steps of a candidate: pods, weights, hold, verdict, and the end."""

from collections.abc import Callable
from dataclasses import replace

from grpc_operator import timestamps
from grpc_operator.api.rollout import Step
from grpc_operator.api.status import RevisionStatus, RolloutStatus
from grpc_operator.rollout import commands, judge, outcome
from grpc_operator.rollout.plan import hold_of, size
from grpc_operator.rollout.turn import Turn
from grpc_operator.timestamps import rfc3339

EVALUATION_PERIOD = 2.0
"""Seconds between two evaluations of a step: as often as the proxies report."""

_Decide = Callable[[Turn, str], Turn | None]


def run(turn: Turn, name: str) -> Turn:
    """Returns the next decision about a candidate, which is to become the stable revision."""
    turn = _remember(_without_pods(turn, name), name)
    for decide in _DECISIONS:
        found = decide(turn, name)
        if found is not None:
            return found
    return _step(turn, name)


def _candidate(turn: Turn, name: str) -> RevisionStatus:
    return turn.state.get(name) or RevisionStatus(name=name, role="Candidate")


def _rollout(turn: Turn) -> RolloutStatus:
    return turn.state.rollout or RolloutStatus(phase="Starting")


def _without_pods(turn: Turn, name: str) -> Turn:
    """Returns the turn without calls for a candidate of which no pod is ready."""
    if turn.facts.ready(name) or not _candidate(turn, name).percent:
        return turn
    return turn.share(name, 0).rollout(since=None)


def _remember(turn: Turn, name: str) -> Turn:
    """Returns the turn with what is known of the current step."""
    rollout = _rollout(turn)
    memory = turn.memory.of(name, rollout.step or 0, turn.facts)
    if rollout.since is not None:
        since = timestamps.seconds(rollout.since, turn.now)
        memory = memory.held(since, turn.now, acknowledged=turn.facts.weights_acknowledged)
    return replace(turn, memory=memory)


def _unserved(turn: Turn, name: str) -> Turn | None:
    """Without pods nobody is served, and nothing can be compared."""
    if turn.facts.replicas or turn.is_paused or turn.plan.mode == "Manual":
        return None
    return None if turn.facts.breaks(name) else _complete(turn, name)


def _refused(turn: Turn, name: str) -> Turn | None:
    """A candidate that breaks callers of the stable revision gets no calls."""
    if not turn.facts.breaks(name):
        return None
    text = f"{name} gets no calls: see the condition SchemaCompatible"
    return _wait(turn.share(name, 0).rollout(since=None), name, "Paused", text)


def _orphaned(turn: Turn, name: str) -> Turn | None:
    """Somebody has deleted the Deployment of the stable revision: nobody else has its template.

    The candidate gets the pods that it needs, but only a person can know whether it may serve.
    """
    stable = turn.state.stable
    if stable is None or stable.name in turn.facts.workloads or commands.is_promoted(turn, name):
        return None
    if turn.plan.mode == "RollingUpdate":
        return None
    text = (
        f"the Deployment of the stable revision {stable.name} does not exist; the command"
        f' "promote {name}" gives all calls to {name}'
    )
    return _wait(turn, name, "Paused", text, turn.facts.replicas)


def _late(turn: Turn, name: str) -> Turn | None:
    """The pods of a candidate have exceeded the deadline of the Deployment."""
    workload = turn.facts.workloads.get(name)
    if turn.plan.mode == "RollingUpdate" or workload is None or not workload.is_late:
        return None
    if not workload.is_observed or workload.usable >= workload.desired:
        return None
    text = f"{_pods(turn, name, workload.desired)}: the deadline of the Deployment is over"
    if commands.is_undone(turn):
        turn = outcome.settled(turn.role(name, "Failed").revision(name, verdict=outcome.said(text)))
        return replace(turn, remark=f"it was not possible to go back to {name}: {text}")
    return _kept(outcome.fail(turn, name, outcome.said(text)), name)


def _failing(turn: Turn, name: str) -> Turn | None:
    """A candidate that has calls fails by its errors or its latency."""
    verdict = _candidate(turn, name).verdict
    if verdict is None and turn.plan.analysis is not None and _is_judged(turn, name):
        verdict = judge.verdict(turn.plan.analysis, _sample(turn, name), turn.facts.methods)
    if verdict is None:
        return None
    return _kept(outcome.fail(turn, name, verdict), name)


def _kept(turn: Turn, name: str) -> Turn:
    """Returns the turn after a failure: a candidate that is kept waits for a command."""
    candidate = _candidate(turn, name)
    if candidate.role != "Candidate" or candidate.verdict is None:
        return turn
    text = (
        f"{candidate.verdict.message}; the weights stay until a command:"
        f' "abort {name}", "resume {name}" or "promote {name}"'
    )
    return _wait(turn, name, "Paused", text)


def _is_judged(turn: Turn, name: str) -> bool:
    return _rollout(turn).since is not None and not commands.is_promoted(turn, name)


def _sample(turn: Turn, name: str) -> judge.Sample:
    """Returns the calls since the step began."""
    stable = turn.state.stable
    return judge.Sample(
        turn.memory.calls_of_step(name, turn.facts),
        turn.memory.calls_of_step(stable.name, turn.facts) if stable is not None else judge.NONE,
        turn.memory.calls(stable.name, turn.facts) if stable is not None else judge.NONE,
        is_timed=_is_warm(turn),
    )


def _is_warm(turn: Turn) -> bool:
    """Whether a step has lasted long enough for the slow first calls of a process not to count."""
    held_from, number = turn.memory.held_from, _rollout(turn).step or 1
    if held_from is None or number > len(turn.plan.steps):
        return held_from is not None
    return turn.now - held_from >= min(hold_of(turn.plan.steps[number - 1]), judge.WARM_UP)


def _paused(turn: Turn, name: str) -> Turn | None:
    if not turn.is_paused:
        return None
    text = f'paused by the annotation "{turn.facts.command}"'
    return _wait(turn, name, "Paused", text).again_in(EVALUATION_PERIOD)


def _stepless(turn: Turn, name: str) -> Turn | None:
    """Without steps, a candidate gets all calls when its pods are ready, or it is promoted."""
    if commands.is_promoted(turn, name):
        return _promote(turn, name)
    if turn.plan.mode == "Manual":
        return _wait(turn, name, "Paused", f'waits for the command "promote {name}"')
    if turn.plan.steps and turn.facts.has_gateway:
        return None
    return _promote(turn, name)


_DECISIONS: tuple[_Decide, ...] = (
    _unserved,
    _refused,
    _orphaned,
    _late,
    _failing,
    _paused,
    _stepless,
)


def _step(turn: Turn, name: str) -> Turn:
    """Returns the next decision within a step."""
    rollout, steps = _rollout(turn), turn.plan.steps
    number = rollout.step or 1
    if number > len(steps):  # some have been removed
        return _promote(turn, name)
    step = steps[number - 1]
    if rollout.since is None or not _has(_candidate(turn, name), step):
        return _enter(turn, name, number)
    turn = _keep(turn, name).again_in(EVALUATION_PERIOD)
    held_from = turn.memory.held_from
    left = held_from + hold_of(step) - turn.now if held_from is not None else None
    if left is None or left > 0 or not turn.facts.weights_acknowledged:
        turn = turn.again_in(left) if left is not None and left > 0 else turn
        text = _holding(step) + _why_behind(turn, name)
        return turn.rollout(phase="Holding", steps=len(steps), message=text)
    lacking = _lacking_calls(turn, name, step)
    if lacking is not None:
        return lacking
    return _enter(turn, name, number + 1) if number < len(steps) else _promote(turn, name)


def _why_behind(turn: Turn, name: str) -> str:
    """Returns why the proxies do not have the weights of a step; empty when nothing is known."""
    workload = turn.facts.workloads.get(name)
    if turn.facts.weights_acknowledged or workload is None or not workload.problem:
        return ""
    return f", once the proxies have it ({workload.problem})"


def _lacking_calls(turn: Turn, name: str, step: Step) -> Turn | None:
    """Returns the decision at the end of a step that had too few calls; ``None`` if it had not."""
    analysis = turn.plan.analysis
    if analysis is None or not step.weight or _rollout(turn).phase == "Promoting":
        return None
    had = judge.total(turn.memory.calls_of_step(name, turn.facts))
    if had >= analysis.min_calls or analysis.without_traffic == "Promote":
        return None
    text = f"{name} had {had} of {analysis.min_calls} calls (spec.rollout.analysis.minCalls)"
    if analysis.without_traffic == "Rollback":
        return _kept(outcome.fail(turn, name, outcome.said(text)), name)
    # Without the number, which would change the status every few seconds.
    text = f"{name} had fewer than {analysis.min_calls} calls (spec.rollout.analysis.minCalls)"
    return turn.rollout(phase="WaitingForTraffic", message=text)


def _has(revision: RevisionStatus, step: Step) -> bool:
    """Whether a revision has the weights of a step."""
    weights = (revision.percent or 0, revision.mirror_percent or 0)
    return weights == (step.weight, step.mirror_percent or 0)


def _enter(turn: Turn, name: str, number: int) -> Turn:
    """Returns the turn with the weights of a step, once there are pods for them."""
    step = turn.plan.steps[number - 1]
    missing = _missing(turn, name, size(step.weight, turn.facts.replicas))
    if missing is not None:
        phase = "Starting" if _rollout(turn).since is None else "Holding"
        return missing.rollout(phase=phase, steps=len(turn.plan.steps))
    turn = _keep(turn, name).share(name, step.weight, step.mirror_percent)
    memory = turn.memory.of(name, number, turn.facts).published(turn.now)
    return (
        replace(turn, memory=memory)
        .again_in(EVALUATION_PERIOD)
        .rollout(
            phase="Holding",
            step=number,
            steps=len(turn.plan.steps),
            since=rfc3339(turn.now),
            message=_holding(step),
        )
    )


def _promote(turn: Turn, name: str) -> Turn:
    """Returns the turn with all calls for a revision, once it has pods for them."""
    missing = _missing(turn, name, turn.facts.replicas)
    if missing is None:
        return _complete(turn, name)
    if not turn.facts.has_gateway and turn.plan.steps:
        text = f"{_rollout(missing).message}; there are no steps without spec.gateway"
        missing = missing.rollout(message=text)
    return missing.rollout(phase="Promoting")


def _complete(turn: Turn, name: str) -> Turn:
    stable = turn.state.stable
    if stable is not None and commands.is_undone(turn):
        return outcome.undone(turn, stable.name, name)
    return outcome.complete(turn, name)


def _missing(turn: Turn, name: str, need: int) -> Turn | None:
    """Returns the turn that waits for what a candidate needs before it gets calls."""
    turn = _keep(turn, name, need)
    if turn.facts.usable(name) < need:
        return turn.rollout(message=_pods(turn, name, need))
    if turn.facts.breaks(name) is None and need:
        return turn.rollout(message=f"the descriptor of {name} is not known yet")
    return None


def _wait(turn: Turn, name: str, phase: str, text: str, need: int = 0) -> Turn:
    return _keep(turn, name, need).rollout(phase=phase, message=text)


def _keep(turn: Turn, name: str, need: int = 0) -> Turn:
    """Returns the turn with a size of the candidate.

    It is not scaled down in the middle of its rollout but to what the stable revision has: a
    leader that has just begun does not know how many calls a step had.
    """
    percent = _candidate(turn, name).percent or 0
    now = min(turn.facts.desired(name), turn.facts.replicas)
    return turn.scale(name, max(need, now, size(percent, turn.facts.replicas)))


def _pods(turn: Turn, name: str, need: int) -> str:
    workload = turn.facts.workloads.get(name)
    why = f" ({workload.problem})" if workload is not None and workload.problem else ""
    return f"{turn.facts.usable(name)} of {need} pods of {name} are ready{why}"


def _holding(step: Step) -> str:
    if not step.weight:
        return f"no calls for {step.hold or '0s'}"
    return f"{step.weight}% of the calls for {step.hold or '0s'}"
