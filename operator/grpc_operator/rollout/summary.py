"""What people read of a rollout: the status, the condition Ready and Events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from grpc_operator import labels
from grpc_operator.api.reasons import Reason
from grpc_operator.api.status import RevisionStatus, RolloutStatus
from grpc_operator.rollout.decision import Announcement, Progress
from grpc_operator.rollout.state import State
from grpc_operator.rollout.turn import Turn

_LONGEST_SUMMARY = 128
_LONGEST_MESSAGE = 1024
"""Characters that the CRD allows: a status with more would be refused."""


def observed(turn: Turn) -> State:
    """Returns the state with what was observed of each revision, and the texts."""
    state = turn.state
    revisions = tuple(_revision(turn, each) for each in state.revisions)
    rollout = state.rollout
    if rollout is not None:
        message = _cut(rollout.message or "", _LONGEST_MESSAGE) or None
        summary = _cut(_summary(state), _LONGEST_SUMMARY)
        rollout = rollout.model_copy(update={"summary": summary, "message": message})
    return replace(state, revisions=revisions, rollout=rollout)


def _revision(turn: Turn, revision: RevisionStatus) -> RevisionStatus:
    workload = turn.facts.workloads.get(revision.name)
    if workload is None:
        return revision.model_copy(update={"replicas": 0, "ready_replicas": 0})
    is_tagged = revision.role == "Candidate" and workload.ready > 0 and turn.facts.schema_ok is True
    update = {
        "image": workload.image,
        "replicas": turn.sizes.get(revision.name, workload.desired),
        "ready_replicas": workload.ready,
        "descriptor_sha256": workload.descriptor_sha256 or revision.descriptor_sha256,
    }
    if turn.plan.mode != "Traffic":
        update["tag"] = turn.plan.tag if is_tagged else None
    return revision.model_copy(update=update)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _summary(state: State) -> str:
    """Returns the rollout at a glance."""
    rollout, stable = state.rollout, state.stable
    candidate = state.get(rollout.candidate) if rollout is not None else None
    if rollout is None or candidate is None:
        shares = [f"{each.percent}% {each.name}" for each in state.revisions if each.percent]
        return ", ".join(shares)
    if rollout.phase == "Failed":
        return f"{candidate.name} failed, 100% {stable.name}" if stable is not None else ""
    at = f"step {rollout.step}/{rollout.steps}" if rollout.step else ""
    waits = {"Paused": "paused", "WaitingForTraffic": "too few calls"}.get(rollout.phase, "")
    what = ", ".join(filter(None, (at, waits)))
    return f"{candidate.percent or 0}% {candidate.name}" + (f" ({what})" if what else "")


def progress(turn: Turn, state: State) -> Progress | None:
    """Returns why the latest revision does not serve all calls."""
    rollout = state.rollout
    if rollout is None or rollout.phase == "Completed":
        return None
    remark = f"; {turn.remark}" if turn.remark else ""
    text = _said(rollout)
    if rollout.phase == "Failed":
        return Progress(Reason.ROLLED_BACK, f"{text}; {_remedy(turn)}{remark}", stalled=True)
    return Progress(_REASONS.get(rollout.phase, Reason.ROLLOUT_IN_PROGRESS), text + remark)


_REASONS: Mapping[str, Reason] = {
    "Paused": Reason.ROLLOUT_PAUSED,
    "WaitingForTraffic": Reason.WAITING_FOR_TRAFFIC,
    "Failed": Reason.ROLLED_BACK,
}


def _said(rollout: RolloutStatus) -> str:
    if rollout.phase == "Failed":
        return f"{rollout.candidate} was taken back: {rollout.message}"
    return f"{rollout.summary}: {rollout.message}"


def _remedy(turn: Turn) -> str:
    """Returns how to go on after a failure."""
    command = f"resume {turn.facts.latest}"
    how = "set the annotation"
    if turn.facts.command == command:  # the same value would not be a change
        how = "remove the annotation and set it once more:"
    return (
        f"change the pod template, or try it once more: {how} {labels.ROLLOUT_COMMAND} to"
        f' "{command}"'
    )


def announcements(before: State, after: State) -> tuple[Announcement, ...]:
    """Returns the Events for what has changed between two states."""
    was, now = before.rollout, after.rollout
    if now is None or now.candidate is None:
        return ()
    is_new = was is None or was.candidate != now.candidate
    found: list[Announcement] = []
    if is_new and now.phase != "Failed" and after.stable is not None:
        text = f"{now.candidate} is rolled out; {after.stable.name} serves meanwhile"
        found.append(Announcement("Normal", Reason.ROLLOUT_STARTED, text))
    reason = _REASONS.get(now.phase)
    if reason is not None and (is_new or was is None or was.phase != now.phase):
        type_: Literal["Normal", "Warning"] = (
            "Warning" if reason == Reason.ROLLED_BACK else "Normal"
        )
        found.append(Announcement(type_, reason, _said(now)))
    return tuple(found)
