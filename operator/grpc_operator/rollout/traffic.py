"""``spec.traffic``: the percentages that the spec gives, once there are pods for them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grpc_operator.api.rollout import LATEST
from grpc_operator.api.status import RevisionStatus
from grpc_operator.rollout import outcome
from grpc_operator.rollout.plan import size
from grpc_operator.rollout.turn import Turn
from grpc_operator.timestamps import rfc3339


@dataclass(frozen=True)
class _Share:
    percent: int = 0
    tag: str | None = None


def apply(turn: Turn) -> Turn:
    """Returns the next decision about the revisions of ``spec.traffic``."""
    latest, stable = turn.facts.latest, turn.state.stable
    if turn.state.get(latest) is None:
        turn = turn.first(latest)
    if stable is None:
        return outcome.settled(turn.role(latest, "Stable").share(latest, 100)).scale(
            latest, turn.facts.replicas
        )
    wanted = _wanted(turn)
    unknown = sorted(name for name in wanted if turn.state.get(name) is None)
    if unknown:
        existing = ", ".join(sorted(each.name for each in turn.state.revisions))
        text = f"spec.traffic: {', '.join(unknown)} does not exist; the revisions are {existing}"
        return replace(turn.scale(stable.name, turn.facts.replicas), remark=text)
    first = max(wanted, key=lambda name: (wanted[name].percent, name == latest, name))
    turn = _sized(turn, wanted, first)
    waits = [_waits(turn, name, wanted[name]) for name in sorted(wanted)]
    text = "; ".join(each for each in waits if each is not None)
    if text:
        return turn.rollout(phase="Starting", candidate=None, step=None, steps=None, message=text)
    return _published(turn, wanted, first)


def _wanted(turn: Turn) -> Mapping[str, _Share]:
    """Returns the shares by the name of the revision; several entries may mean the same one."""
    found: dict[str, _Share] = {}
    for each in turn.plan.traffic:
        name = turn.facts.latest if each.revision == LATEST else each.revision
        old = found.get(name, _Share())
        found[name] = _Share(old.percent + (each.percent or 0), old.tag or each.tag)
    return found


def _sized(turn: Turn, wanted: Mapping[str, _Share], first: str) -> Turn:
    """Returns the turn with the pods for the shares of now and those that are wanted.

    A revision that gets less keeps its pods until every proxy has its new share.
    """
    for each in turn.state.revisions:
        share = wanted.get(each.name)
        if share is None and each.role != "Stable":
            continue
        need = _need(turn, share, each, first)
        if each.percent and each.role != "Stable" and not _is_settled(turn, wanted):
            need = max(need, turn.facts.desired(each.name))
        turn = turn.scale(each.name, need)
    return turn if turn.facts.latest in turn.sizes else turn.scale(turn.facts.latest, 0)


def _need(turn: Turn, share: _Share | None, revision: RevisionStatus, first: str) -> int:
    """Returns the pods that a revision needs for its share."""
    if revision.name == first or revision.role == "Stable":
        return turn.facts.replicas
    if share is None or not (share.percent or share.tag):
        return 0
    return size(share.percent, turn.facts.replicas)


def _is_settled(turn: Turn, wanted: Mapping[str, _Share]) -> bool:
    """Whether every proxy has the shares that are wanted."""
    shares = {each.name: each.percent for each in turn.state.revisions if each.percent}
    return turn.facts.weights_acknowledged and shares == {
        name: share.percent for name, share in wanted.items() if share.percent
    }


def _waits(turn: Turn, name: str, share: _Share) -> str | None:
    """Returns what a revision lacks before it gets more than it has; ``None`` if it is nothing."""
    revision = turn.state.get(name)
    has = (revision.percent or 0, revision.tag) if revision is not None else (0, None)
    if share.percent <= has[0] and share.tag in {None, has[1]}:
        return None
    if turn.facts.breaks(name):
        return f"{name} gets no calls: see the condition SchemaCompatible"
    need = turn.sizes.get(name, 0)
    if turn.facts.usable(name) < need:
        workload = turn.facts.workloads.get(name)
        why = f" ({workload.problem})" if workload is not None and workload.problem else ""
        return f"{turn.facts.usable(name)} of {need} pods of {name} are ready{why}"
    if turn.facts.breaks(name) is None and need:
        return f"the descriptor of {name} is not known yet"
    return None


def _published(turn: Turn, wanted: Mapping[str, _Share], first: str) -> Turn:
    """Returns the turn in which the shares are those that are wanted."""
    before = turn.state.serving
    for each in turn.state.revisions:
        share = wanted.get(each.name, _Share())
        is_served = bool(share.percent or share.tag)
        role = "Stable" if each.name == first else "Serving" if is_served else None
        if role is None and each.role in {"Stable", "Serving", "Candidate"}:
            role = "Draining"
        turn = turn.role(each.name, role) if role is not None else turn
        fields = {"percent": share.percent or None, "tag": share.tag, "mirror_percent": None}
        turn = turn.revision(each.name, **fields)
    if turn.state.rollout is not None and turn.state.rollout.phase == "Completed":
        return turn if _same(before, turn.state.serving) else outcome.settled(turn)
    return outcome.settled(turn).rollout(since=rfc3339(turn.now))


def _same(one: tuple[RevisionStatus, ...], other: tuple[RevisionStatus, ...]) -> bool:
    return [(each.name, each.percent, each.tag) for each in one] == [
        (each.name, each.percent, each.tag) for each in other
    ]
