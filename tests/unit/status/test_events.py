"""Which changes of the condition Ready become Kubernetes Events."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.events import Event, History

Status = dict[str, Any]


def status(ready: str, reason: str, message: str = "m", *, generation: int = 1) -> Status:
    """Returns a status whose condition Ready says this."""
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": message}
    other = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "valid"}
    return {"observedGeneration": generation, "conditions": [other, condition]}


def events(old: Status, *steps: tuple[float, Status], upto: float = 1000.0) -> list[Event]:
    """Returns the Events of statuses, each from its second on, and reported when due."""
    history, found = History.of(old), []
    ends = [time for time, _ in steps[1:]] + [upto]
    for (begin, current), end in zip(steps, ends, strict=True):
        now: float | None = begin
        while now is not None and now < end:
            history, event = history.next(current, now)
            found += [event] if event is not None else []
            due = history.due_in(now)
            now = now + due if due is not None else None
    return found


NEVER_SEEN: tuple[Status, ...] = ({}, {"observedGeneration": -1}, {"conditions": None})
PROGRESSING = status("False", "Progressing")
CRASHING = status("False", "CrashLoopBackOff", "back-off")
READY = status("True", "Ready")
COMPLETE = Event("Normal", Reason.ROLLOUT_COMPLETE, "m")
CRASH = Event("Warning", KubernetesReason("CrashLoopBackOff"), "back-off")


@pytest.mark.parametrize("old", [*NEVER_SEEN, PROGRESSING])
@pytest.mark.parametrize(
    "waits",
    [
        (),
        ("Progressing",),
        ("Progressing", "WaitingForProbe"),
        ("WaitingForInitContainer", "WaitingForPod", "NoEndpoints", "Pending", "NoProxies"),
    ],
)
def test_a_healthy_first_rollout_makes_no_event(old: Status, waits: tuple[str, ...]) -> None:
    """Neither its beginning nor its end is news to whoever has just created the object."""
    steps = [(float(10 * index), status("False", reason)) for index, reason in enumerate(waits)]

    assert events(old, *steps, (60.0, READY)) == []


@pytest.mark.parametrize("old", [*NEVER_SEEN, PROGRESSING, READY])
def test_a_problem_that_lasts_is_one_warning(old: Status) -> None:
    """Its reason and message are those of the condition."""
    assert events(old, (0.0, CRASHING), (500.0, CRASHING)) == [CRASH]


@pytest.mark.parametrize("reason", ["GatewayNotFound", "FailedMount", "CrashLoopBackOff"])
def test_a_problem_that_is_over_at_once_is_none(reason: str) -> None:
    """Such as a gateway that is applied just after its services."""
    assert events({}, (0.0, status("False", reason)), (2.0, PROGRESSING), (9.0, READY)) == []


@pytest.mark.parametrize("reason", ["NoProxies", "Pending", "NoEndpoints", "WaitingForProxies"])
def test_a_proxy_that_reconnects_makes_no_event(reason: str) -> None:
    """Nor does one that is added: calls do not fail."""
    assert events(READY, (0.0, status("False", reason)), (20.0, READY)) == []


@pytest.mark.parametrize("reason", ["NoProxies", "Pending", "NoEndpoints"])
def test_proxies_that_stay_away_are_a_warning(reason: str) -> None:
    """After longer than they need to reconnect, and the end of it is an Event as well."""
    found = events(READY, (0.0, status("False", reason)), (120.0, READY))

    assert [(each.type, each.reason) for each in found] == [
        ("Warning", reason),
        ("Normal", "RolloutComplete"),
    ]


@pytest.mark.parametrize(
    "later",
    [
        READY,
        status("False", "Progressing", "1 of 2"),
        status("False", "CrashLoopBackOff", "back-off 20s"),
        status("False", "CrashLoopBackOff", generation=2),
    ],
)
def test_progress_and_new_messages_are_no_warning(later: Status) -> None:
    """The same reason again, or a change that is under way, is in the conditions."""
    warnings = [
        each for each in events({}, (0.0, CRASHING), (10.0, later)) if each.type != "Normal"
    ]

    assert warnings == [CRASH]


def test_each_reason_is_a_warning_of_its_own() -> None:
    """So is one that comes back after another one, or after the object was ready."""
    other = status("False", "ErrImagePull", "no such image")
    image = Event("Warning", KubernetesReason("ErrImagePull"), "no such image")

    assert events(CRASHING, (0.0, other), (10.0, CRASHING), (20.0, READY), (30.0, CRASHING)) == [
        image,
        CRASH,
        COMPLETE,
        CRASH,
    ]


@pytest.mark.parametrize(
    "old",
    [
        CRASHING,
        status("False", "Progressing", generation=2),
        status("False", "CrashLoopBackOff", generation=2),
    ],
)
def test_recoveries_and_later_rollouts_are_events(old: Status) -> None:
    """As one normal Event when all is done, even of a rollout that another operator has seen."""
    assert events(old, (0.0, status("True", "Ready", generation=2))) == [COMPLETE]


@pytest.mark.parametrize("wait", ["Progressing", "Pending", "WaitingForProbe"])
def test_an_update_is_one_event(wait: str) -> None:
    """Whatever it waited for last."""
    steps = [(0.0, status("False", "Progressing", generation=2))]
    steps += [(5.0, status("False", wait, generation=2))]
    steps += [(9.0, status("True", "Ready", generation=2))]

    assert events(READY, *steps) == [COMPLETE]


@pytest.mark.parametrize("reasons", [("Ready", "ScaledToZero"), ("ScaledToZero", "Ready")])
def test_scaling_to_zero_and_back_is_an_event(reasons: tuple[str, str]) -> None:
    """Both are ready, for another reason."""
    old, new = (status("True", reason) for reason in reasons)

    assert events(old, (0.0, new)) == [COMPLETE]


def test_a_change_of_the_spec_without_a_rollout_is_no_event() -> None:
    """Such as another number of the same."""
    assert events(READY, (0.0, status("True", "Ready", generation=2))) == []


def test_a_problem_that_another_process_has_seen_is_not_counted_again() -> None:
    """But reported, if that one has ended before it could."""
    assert events(CRASHING, (0.0, CRASHING)) == [replace(CRASH, is_known=True)]
