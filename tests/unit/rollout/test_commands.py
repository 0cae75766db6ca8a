"""The annotation ``grpc.infera.dev/rollout``."""

import pytest

from grpc_operator.api.reasons import Reason
from grpc_operator.rollout import commands
from grpc_operator.rollout.state import State
from tests.unit.rollout.world import CANDIDATE, World, spec

THIRD = "users-33333333"


def holding(**rollout: object) -> World:
    """Returns a rollout that is at its first step."""
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}, **rollout}))
    world.begin()
    world.until("Holding")
    return world


def completed() -> World:
    """Returns a service of which the second revision is stable."""
    world = holding()
    world.command(f"promote {CANDIDATE}")
    world.run(5)
    world.command(None)
    world.turn(1)
    return world


@pytest.mark.parametrize("text", [None, "", "promote", "restart users", "promote users now"])
def test_what_is_not_a_command(text: str | None) -> None:
    assert commands.parse(text) is None


def test_promote_skips_the_steps_but_not_the_pods() -> None:
    world = holding()
    world.command(f"promote {CANDIDATE}")
    world.freeze = True
    world.turn(1)
    assert world.phase == "Promoting"
    assert world.percents() == {CANDIDATE: 5, "users": 95}
    world.command(None)  # it has been taken note of
    world.freeze = False
    world.run(2)
    assert world.percents() == {CANDIDATE: 100}
    assert world.roles() == {CANDIDATE: "Stable", "users": "Draining"}


def test_pause_holds_as_long_as_the_annotation_says_so() -> None:
    world = holding()
    world.command(f"pause {CANDIDATE}")
    world.run(3000)
    assert (world.phase, world.percents()[CANDIDATE]) == ("Paused", 5)
    assert [each.reason for each in world.announced] == [
        Reason.ROLLOUT_STARTED,
        Reason.ROLLOUT_PAUSED,
    ]
    world.command(f"resume {CANDIDATE}")
    world.run(3)
    assert world.percents()[CANDIDATE] == 25


def test_abort_gives_all_calls_back() -> None:
    world = holding()
    world.command(f"abort {CANDIDATE}")
    world.run(10)
    assert world.percents() == {"users": 100}
    assert world.roles()[CANDIDATE] == "Failed"
    assert world.phase == "Failed"


def test_undo_goes_back_to_the_revision_before() -> None:
    world = completed()
    world.command(f"undo {CANDIDATE}")
    world.turn(1)
    world.run(10)
    assert world.percents() == {"users": 100}
    assert world.roles()["users"] == "Stable"
    assert world.roles()[CANDIDATE] == "Failed"
    assert world.phase == "Failed"
    world.run(1000)
    assert world.percents() == {"users": 100}, "it would be undone once more"


def test_undo_does_not_go_back_to_a_revision_that_was_never_stable() -> None:
    """A candidate that another one has replaced is newer than the one that was stable."""
    world = holding()
    world.latest = THIRD
    world.until("Holding")
    world.command(f"promote {THIRD}")
    world.run(5)
    assert world.roles() == {THIRD: "Stable", CANDIDATE: "Draining", "users": "Draining"}
    world.run(4000)
    world.command(f"undo {THIRD}")
    world.run(20)
    assert world.percents() == {"users": 100}
    assert world.roles() == {THIRD: "Failed", CANDIDATE: "Retired", "users": "Stable"}


def test_undo_is_not_possible_during_a_rollout() -> None:
    world = completed()
    world.latest = THIRD
    world.until("Holding")
    world.command(f"undo {CANDIDATE}")
    decision = world.turn(1)
    assert world.percents() == {CANDIDATE: 95, THIRD: 5}
    assert "has no effect now" in decision.remark


def test_calls_stay_until_the_pods_of_an_undo_are_ready() -> None:
    world = completed()
    world.run(4000)
    assert world.workloads["users"].desired == 0
    world.command(f"undo {CANDIDATE}")
    world.freeze = True
    world.run(10)
    assert world.percents() == {CANDIDATE: 100}
    assert world.turn(1).sizes["users"] == 4
    world.freeze = False
    world.run(3)
    assert world.percents() == {"users": 100}


def test_promote_of_an_earlier_rollout_does_not_promote_the_same_revision_once_more() -> None:
    """The annotation is left behind; the revision comes back later."""
    world = holding()
    world.command(f"promote {CANDIDATE}")
    world.run(10)
    world.latest = "users"
    world.run(3000)
    assert world.percents() == {"users": 100}
    world.latest = CANDIDATE
    world.run(20)
    assert world.percents() == {"users": 95, CANDIDATE: 5}


@pytest.mark.parametrize("text", ["promote", "restart users", f"promote {THIRD}", "undo users"])
def test_message_says_what_is_possible(text: str) -> None:
    world = holding()
    before = world.state
    world.command(text)
    decision = world.turn(0)
    assert decision.state == before
    assert decision.progress is not None
    for possible in ("promote", "pause", "abort"):
        assert f'"{possible} {CANDIDATE}"' in decision.progress.message
    assert "undo users" not in decision.remark.split("possible now")[1]


def test_command_for_a_revision_of_the_past_is_not_mentioned() -> None:
    world = completed()
    world.command(f"pause {THIRD}")
    decision = world.turn(1)
    assert (decision.remark, decision.progress) == ("", None)
    world.command("pause everything now")
    assert "not a command" in world.turn(1).remark


def test_every_command_is_idempotent() -> None:
    for verb in commands._VERBS:  # noqa: SLF001 - each of them
        for world, name in ((holding(), CANDIDATE), (completed(), CANDIDATE)):
            world.command(f"{verb} {name}")
            world.run(20)
            state = State(world.state.revisions, world.state.rollout)
            world.turn(0)
            assert world.state == state
