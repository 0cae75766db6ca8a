"""What happens to a candidate that fails, and to its calls."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.api.reasons import Reason
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls
from grpc_operator.rollout.facts import Method, Workload
from tests.unit.rollout.world import CANDIDATE, World, spec

GET = "users.v1.Users/Get"
METHODS = (Method("users.v1.Users", "Get", is_unary=True),)


def calls(ok: int, failed: int = 0, **more: Any) -> RevisionCalls:
    """Returns the calls of a revision with one method, of which some ended with INTERNAL."""
    return RevisionCalls(ok, failed, 0, {GET: MethodCalls({0: ok, 13: failed}, **more)})


def failing(**rollout: Any) -> World:
    """Returns a rollout at its first step, in which half of the calls have failed."""
    world = World(spec(rollout=rollout), others={"methods": METHODS})
    world.begin()
    world.calls = {"users": calls(0), CANDIDATE: calls(0)}
    world.until("Holding")
    world.turn(2)
    world.calls = {"users": calls(1900), CANDIDATE: calls(50, 50)}
    return world


def test_failure_takes_all_calls_back_at_once() -> None:
    world = failing()
    decision = world.turn(2)
    assert world.percents() == {"users": 100}
    assert world.roles() == {CANDIDATE: "Failed", "users": "Stable"}
    message = "users.v1.Users/Get failed 50 of 100 calls (INTERNAL 50); stable 0 of 1900"
    verdict = world.state.revisions[0].verdict
    assert verdict is not None
    assert (verdict.message, verdict.code, verdict.method) == (
        message,
        "INTERNAL",
        "users.v1.Users/Get",
    )
    assert decision.progress is not None
    assert (decision.progress.reason, decision.progress.stalled) == (Reason.ROLLED_BACK, True)
    assert message in decision.progress.message
    assert [(each.type, each.reason) for each in decision.announcements] == [
        ("Warning", Reason.ROLLED_BACK)
    ]
    assert message in decision.announcements[0].message


def test_failed_revision_is_not_tried_until_it_is_resumed() -> None:
    world = failing()
    world.run(100)
    assert world.percents() == {"users": 100}
    assert world.workloads[CANDIDATE].desired == 0
    world.command(f"resume {CANDIDATE}")
    world.calls = {"users": calls(1900), CANDIDATE: calls(50, 50)}
    world.run(10)
    assert world.percents() == {"users": 95, CANDIDATE: 5}
    assert world.state.revisions[0].verdict is None


def test_resume_that_stays_does_not_try_for_ever() -> None:
    """GitOps tools leave annotations behind."""
    world = failing()
    world.run(2)
    world.command(f"resume {CANDIDATE}")
    world.run(10)
    assert world.roles()[CANDIDATE] == "Candidate"
    world.calls = {"users": calls(3800), CANDIDATE: calls(100, 100)}
    world.run(50)
    assert world.roles()[CANDIDATE] == "Failed"
    assert world.percents() == {"users": 100}


def test_failed_template_that_comes_back_is_not_tried() -> None:
    world = failing()
    world.run(10)
    world.latest = "users-33333333"
    world.calls["users-33333333"] = calls(0)
    world.run(10)
    world.latest = CANDIDATE
    world.run(20)
    assert world.percents() == {"users": 100}
    assert world.phase == "Failed"
    assert world.roles()["users-33333333"] in {"Draining", "Retired"}


def test_pause_on_failure_keeps_the_weights_until_a_command() -> None:
    world = failing(onFailure="Pause")
    world.run(1000)
    assert world.percents() == {"users": 95, CANDIDATE: 5}
    assert world.phase == "Paused"
    assert [each.reason for each in world.announced if each.reason != Reason.ROLLOUT_STARTED] == [
        Reason.ROLLOUT_PAUSED
    ]
    world.command(f"resume {CANDIDATE}")
    world.run(10)
    assert world.phase == "Holding"
    world.calls = {"users": calls(3800), CANDIDATE: calls(100, 100)}
    world.run(10)
    assert world.phase == "Paused"


@pytest.mark.parametrize(("verb", "percents"), [("abort", 0), ("promote", 100)])
def test_person_decides_about_a_failed_candidate(verb: str, percents: int) -> None:
    world = failing(onFailure="Pause")
    world.run(10)
    world.command(f"{verb} {CANDIDATE}")
    world.run(10)
    assert world.percents().get(CANDIDATE, 0) == percents


def test_pods_that_do_not_become_ready_in_time_are_a_failure() -> None:
    """With the reason of the pods; before the deadline it is only said what is waited for."""
    world = World(spec(rollout={}))
    world.begin(usable=False)
    world.run(10)
    assert world.phase == "Starting"
    crashing = Workload(1, 0, 1, problem="CrashLoopBackOff: exit code 1")
    world.workloads[CANDIDATE] = crashing
    world.freeze = True
    waiting = world.turn(1)
    assert waiting.progress is not None
    assert "CrashLoopBackOff" in waiting.progress.message
    assert waiting.progress.reason == Reason.ROLLOUT_IN_PROGRESS
    world.workloads[CANDIDATE] = replace(crashing, is_late=True)
    late = world.turn(1)
    assert late.progress is not None
    assert late.progress.reason == Reason.ROLLED_BACK
    assert "CrashLoopBackOff" in late.progress.message
    assert world.percents() == {"users": 100}


def test_candidate_without_ready_pods_has_no_calls() -> None:
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}}))
    world.begin()
    world.until("Holding")
    assert world.percents() == {"users": 95, CANDIDATE: 5}
    world.workloads[CANDIDATE] = replace(world.workloads[CANDIDATE], ready=0)
    world.freeze = True
    world.turn(2)
    assert world.percents() == {"users": 100}
    world.freeze = False
    world.run(10)
    assert world.percents() == {"users": 95, CANDIDATE: 5}


def test_schema_that_breaks_callers_gets_no_calls() -> None:
    world = World(spec(rollout={}), others={"schema_ok": None})
    world.begin()
    world.run(100)
    assert world.percents() == {"users": 100}
    assert world.state.rollout is not None
    assert "descriptor" in (world.state.rollout.message or "")
    world.others["schema_ok"] = False
    world.command(f"promote {CANDIDATE}")
    world.run(100)
    assert world.percents() == {"users": 100}
    assert world.phase == "Paused"
    world.others["schema_ok"] = True
    world.run(10)
    assert world.percents() == {CANDIDATE: 100}


def test_stable_deployment_that_somebody_deleted_needs_a_person() -> None:
    """Only its Deployment had its template, so it cannot be created again."""
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}}))
    world.begin()
    world.until("Holding")
    del world.workloads["users"]
    world.frozen.add("users")
    world.run(2000)
    assert world.percents() == {"users": 95, CANDIDATE: 5}
    assert world.phase == "Paused"
    assert world.workloads[CANDIDATE].desired == 4
    world.command(f"promote {CANDIDATE}")
    world.run(10)
    assert world.percents() == {CANDIDATE: 100}


def test_too_few_calls() -> None:
    for decision, phase in (
        ("Wait", "WaitingForTraffic"),
        ("Promote", "Completed"),
        ("Rollback", "Failed"),
    ):
        world = World(spec(rollout={"analysis": {"withoutTraffic": decision}}))
        world.begin()
        world.run(2000)
        assert world.phase == phase
    assert "had 0 of 100 calls" in world.state.rollout.message  # type: ignore[union-attr,operator]


def test_wait_for_calls_ends_with_them_and_is_announced_once() -> None:
    world = World(spec(rollout={"steps": [{"weight": 10, "hold": "10s"}]}))
    world.begin()
    world.calls = {"users": calls(0), CANDIDATE: calls(0)}
    world.run(100)
    reasons = [each.reason for each in world.announced]
    assert reasons == [Reason.ROLLOUT_STARTED, Reason.WAITING_FOR_TRAFFIC]
    world.calls = {"users": calls(900), CANDIDATE: calls(100)}
    world.run(10)
    assert world.phase == "Completed"
