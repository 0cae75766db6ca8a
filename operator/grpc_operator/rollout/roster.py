"""Which revisions there are: those of the status that still exist, and those that it lacks."""

from dataclasses import replace

from grpc_operator.api.status import RevisionStatus
from grpc_operator.rollout.facts import Facts
from grpc_operator.rollout.state import State
from grpc_operator.timestamps import rfc3339


def known(state: State, facts: Facts, now: float) -> State:
    """Returns the state with exactly one entry for each revision, one of them stable if any is.

    Revisions whose Deployment is gone are left out, but for the stable one, which has calls, and
    the latest one, whose Deployment is created.
    """
    kept = [
        each
        for each in state.revisions
        if each.name in facts.workloads or each.role == "Stable" or each.name == facts.latest
    ]
    names = {each.name for each in kept}
    since = rfc3339(now)
    found = [
        RevisionStatus(name=name, role="Draining" if each.desired else "Retired", since=since)
        for name, each in sorted(facts.workloads.items())
        if name not in names
    ]
    return replace(state, revisions=_shared(_one_stable((*kept, *found), facts, since)))


def _one_stable(
    revisions: tuple[RevisionStatus, ...], facts: Facts, since: str
) -> tuple[RevisionStatus, ...]:
    """Returns revisions of which one is stable, unless none has ever served."""
    stable = next((each.name for each in revisions if each.role == "Stable"), None)
    if stable is None:
        stable = _served(facts)

    def settled(each: RevisionStatus) -> RevisionStatus:
        if each.name == stable and each.role != "Stable":
            update = {"role": "Stable", "since": since, "promotion_time": since}
            return each.model_copy(update=update)
        if each.name != stable and each.role == "Stable":
            return each.model_copy(update={"role": "Draining", "percent": None, "since": since})
        return each

    return tuple(map(settled, revisions))


def _shared(revisions: tuple[RevisionStatus, ...]) -> tuple[RevisionStatus, ...]:
    """Returns revisions whose percentages add up to 100: the stable one has what is left."""
    others = sum(each.percent or 0 for each in revisions if each.role != "Stable")
    return tuple(
        each.model_copy(update={"percent": max(0, 100 - others)}) if each.role == "Stable" else each
        for each in revisions
    )


def _served(facts: Facts) -> str | None:
    """Returns the revision that has served so far, when no status says so."""
    if facts.selected in facts.workloads:
        return facts.selected
    if facts.service in facts.workloads:
        return facts.service
    # Whoever has lost the status has the revision with the most pods serve.
    return max(facts.workloads, key=lambda name: (facts.ready(name), name), default=None)
