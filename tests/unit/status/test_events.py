"""Which changes of a status become Kubernetes Events."""

from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.status.events import Event, between

Status = dict[str, Any]


def status(ready: str, reason: str, message: str = "m", *, generation: int = 1) -> Status:
    """Returns a status whose condition Ready says this."""
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": message}
    other = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "valid"}
    return {"observedGeneration": generation, "conditions": [other, condition]}


NEVER_SEEN: tuple[Status, ...] = ({}, {"observedGeneration": -1}, {"conditions": None})
PROGRESSING = status("False", "Progressing")
CRASHING = status("False", "CrashLoopBackOff", "back-off")
READY = status("True", "Ready")
COMPLETE = Event("Normal", Reason.ROLLOUT_COMPLETE, "m")


@pytest.mark.parametrize("old", NEVER_SEEN)
def test_a_first_rollout_makes_no_event(old: Status) -> None:
    """Neither its beginning nor its end is news to whoever has just created the object."""
    assert between(old, PROGRESSING) == []
    assert between(old, READY) == []
    assert between(PROGRESSING, READY) == []


@pytest.mark.parametrize("old", [*NEVER_SEEN, PROGRESSING, READY])
def test_a_new_problem_is_a_warning(old: Status) -> None:
    """Its reason and message are those of the condition."""
    assert between(old, CRASHING) == [
        Event("Warning", KubernetesReason("CrashLoopBackOff"), "back-off")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (READY, READY),
        (PROGRESSING, PROGRESSING),
        (PROGRESSING, status("False", "Progressing", "1 of 2")),
        (CRASHING, status("False", "CrashLoopBackOff", "back-off 20s")),
        (READY, status("True", "Ready", generation=2)),
        (READY, status("False", "Progressing", generation=2)),
        (CRASHING, PROGRESSING),
    ],
)
def test_progress_and_new_messages_are_no_event(old: Status, new: Status) -> None:
    """The same reason again, or a change that is under way, is in the conditions."""
    assert between(old, new) == []


def test_each_problem_is_a_warning_of_its_own() -> None:
    """Each reason once."""
    other = status("False", "ErrImagePull", "no such image")

    assert between(CRASHING, other) == [
        Event("Warning", KubernetesReason("ErrImagePull"), "no such image")
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
    """As one normal Event when all is done."""
    assert between(old, status("True", "Ready", generation=2)) == [COMPLETE]


@pytest.mark.parametrize("reasons", [("Ready", "ScaledToZero"), ("ScaledToZero", "Ready")])
def test_scaling_to_zero_and_back_is_an_event(reasons: tuple[str, str]) -> None:
    """Both are ready, for another reason."""
    old, new = (status("True", reason) for reason in reasons)

    assert between(old, new) == [COMPLETE]


def test_a_rollout_that_is_given_up_is_no_second_event() -> None:
    """A rollout that is given up keeps the reason of its pod."""
    given_up = status("False", "CrashLoopBackOff", "no progress in time. back-off")

    assert between(CRASHING, given_up) == []
