"""What people read of a rollout."""

from grpc_operator.api.reasons import IN_PROGRESS, Reason
from grpc_operator.rollout.state import State
from tests.unit.rollout.world import CANDIDATE, World, spec

OFF = {"mode": "Disabled"}


def holding(**rollout: object) -> World:
    """Returns a rollout that is at its first step."""
    world = World(spec(rollout={"analysis": OFF, **rollout}))
    world.begin()
    world.until("Holding")
    return world


def summary(world: World) -> str | None:
    """Returns the rollout at a glance."""
    return world.state.rollout.summary if world.state.rollout is not None else None


def test_summary_of_each_phase() -> None:
    world = holding()
    assert summary(world) == f"5% {CANDIDATE} (step 1/3)"
    world.command(f"pause {CANDIDATE}")
    world.turn(1)
    assert summary(world) == f"5% {CANDIDATE} (step 1/3, paused)"
    world.command(f"abort {CANDIDATE}")
    world.turn(1)
    assert summary(world) == f"{CANDIDATE} failed, 100% users"
    world.command(f"resume {CANDIDATE}")
    world.run(3)
    world.command(f"promote {CANDIDATE}")
    world.run(3)
    assert summary(world) == f"100% {CANDIDATE}"


def test_running_rollout_is_in_progress_and_a_failed_one_stalled() -> None:
    world = holding()
    running = world.turn(1).progress
    assert running is not None
    assert (running.reason, running.stalled) == (Reason.ROLLOUT_IN_PROGRESS, False)
    assert running.reason in IN_PROGRESS
    assert running.message == f"5% {CANDIDATE} (step 1/3): 5% of the calls for 2m"
    world.command(f"abort {CANDIDATE}")
    failed = world.turn(1).progress
    assert failed is not None
    assert (failed.reason, failed.stalled) == (Reason.ROLLED_BACK, True)
    assert failed.message == (
        f"{CANDIDATE} was taken back: aborted by a command; change the pod template, or try it once"
        f' more: set the annotation grpc.infera.dev/rollout to "resume {CANDIDATE}"'
    )


def test_same_command_once_more_needs_another_annotation() -> None:
    world = holding(onFailure="Rollback")
    world.command(f"abort {CANDIDATE}")
    world.turn(1)
    world.command(f"resume {CANDIDATE}")
    world.run(3)
    world.command(f"abort {CANDIDATE}")
    world.turn(1)
    world.others["command"] = f"resume {CANDIDATE}"
    assert world.state.rollout is not None
    taken = world.state.rollout.model_copy(update={"command": f"resume {CANDIDATE}"})
    world.state = State(world.state.revisions, taken)
    progress = world.turn(1).progress
    assert progress is not None
    assert "remove the annotation" in progress.message


def test_tag_is_that_of_a_candidate_with_ready_pods() -> None:
    world = World(spec(rollout={"strategy": "Manual", "tag": "next"}))
    world.begin()
    world.freeze = True
    world.turn(1)
    assert not any(each.tag for each in world.state.revisions)
    world.freeze = False
    world.run(3)
    assert {each.name: each.tag for each in world.state.revisions} == {
        CANDIDATE: "next",
        "users": None,
    }
    world.command(f"promote {CANDIDATE}")
    world.run(3)
    assert not any(each.tag for each in world.state.revisions)


def test_every_change_is_announced_once() -> None:
    world = holding()
    world.run(3000)
    assert [(each.type, each.reason) for each in world.announced] == [
        ("Normal", Reason.ROLLOUT_STARTED)
    ]
