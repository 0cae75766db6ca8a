"""Changes of the spec in the middle of a rollout, and of what others do to Deployments."""

from dataclasses import replace

from grpc_operator.api.status import RevisionStatus, RolloutStatus
from grpc_operator.rollout.facts import Workload
from grpc_operator.rollout.state import State
from tests.unit.rollout.world import CANDIDATE, World, spec

OFF = {"mode": "Disabled"}
THIRD = "users-33333333"


def holding(replicas: int = 4) -> World:
    """Returns a rollout that is at its first step, of 50%."""
    steps = [{"weight": 50, "hold": "1m"}]
    world = World(spec(rollout={"analysis": OFF, "steps": steps}), replicas=replicas)
    world.begin()
    world.until("Holding")
    assert world.percents() == {CANDIDATE: 50, "users": 50}
    return world


def test_third_template_takes_the_calls_of_the_second_at_once() -> None:
    world = holding()
    world.latest = THIRD
    world.turn(1)
    assert world.percents() == {"users": 100}
    assert world.roles() == {THIRD: "Candidate", CANDIDATE: "Draining", "users": "Stable"}
    world.run(5)
    assert world.percents() == {"users": 50, THIRD: 50}


def test_going_back_to_the_stable_template_ends_the_rollout() -> None:
    world = holding()
    world.latest = "users"
    world.turn(1)
    assert world.percents() == {"users": 100}
    assert world.phase == "Completed"


def test_candidate_follows_the_pods_of_the_stable_revision() -> None:
    world = holding()
    world.replicas = 11  # by an autoscaler, or by hand
    assert world.turn(1).sizes == {"users": 11, CANDIDATE: 6}
    world.replicas = 3
    assert world.turn(1).sizes == {"users": 3, CANDIDATE: 3}
    assert world.percents() == {CANDIDATE: 50, "users": 50}


def test_without_pods_nobody_is_served_and_nothing_compared() -> None:
    world = holding()
    world.replicas = 0
    world.turn(1)
    assert world.percents() == {CANDIDATE: 100}
    assert world.phase == "Completed"
    world.run(100)
    assert not any(each.desired for each in world.workloads.values())


def test_steps_that_are_added_or_removed() -> None:
    world = holding()
    steps = [{"weight": 10, "hold": "1m"}, {"weight": 20, "hold": "1m"}]
    world.spec = spec(rollout={"analysis": OFF, "steps": steps})
    world.run(3)
    assert world.percents() == {CANDIDATE: 10, "users": 90}
    world.run(70)
    assert world.percents() == {CANDIDATE: 20, "users": 80}
    world.spec = spec(rollout={"analysis": OFF, "steps": steps[:1]})
    world.run(3)
    assert world.percents() == {CANDIDATE: 100}


def test_rolling_update_ends_at_the_deployment_of_the_service() -> None:
    """And its status is as if there had never been a revision."""
    world = holding()
    world.run(200)
    assert world.percents() == {CANDIDATE: 100}
    world.spec, world.latest = spec(), "users"
    world.run(5)
    assert world.percents() == {"users": 100}
    world.run(4000)
    assert world.state == State()
    assert set(world.workloads) == {"users"}


def test_rolling_update_in_the_middle_keeps_the_calls() -> None:
    world = holding()
    world.spec, world.latest = spec(), "users"
    world.turn(1)
    assert world.percents() == {"users": 100}
    world.run(4000)
    assert (world.state, set(world.workloads)) == (State(), {"users"})


def test_service_without_a_rollout_has_no_revisions() -> None:
    world = World(spec(), workloads={"users": Workload(4, 4, 4)})
    assert world.turn().sizes == {}
    assert world.state == State()


def test_deployment_that_exists_is_the_first_revision() -> None:
    world = World(spec(rollout={}), workloads={"users": Workload(4, 4, 4)})
    decision = world.turn()
    assert decision.sizes == {"users": 4}
    assert world.roles() == {"users": "Stable"}
    assert decision.progress is None


def test_lost_status_is_made_anew_from_the_services() -> None:
    world = holding()
    world.state, world.memory = State(), None
    world.others = {"selected": "users"}
    world.turn(1)
    assert world.roles() == {CANDIDATE: "Candidate", "users": "Stable"}
    assert world.phase == "Holding"
    world.run(100)
    assert world.percents() == {CANDIDATE: 100}


def test_deployment_of_the_candidate_is_created_again() -> None:
    world = holding()
    del world.workloads[CANDIDATE]
    assert world.turn(1).sizes[CANDIDATE] == 2
    assert world.percents() == {"users": 100}
    world.run(100)
    assert world.percents() == {CANDIDATE: 100}


def test_stable_revision_without_ready_pods_keeps_its_share() -> None:
    """Its Deployment replaces them; the few pods of the candidate could not serve all calls."""
    world = holding()
    world.workloads["users"] = replace(world.workloads["users"], ready=0)
    world.freeze = True
    world.run(20)
    assert world.percents() == {CANDIDATE: 50, "users": 50}


def test_names_in_the_status_that_do_not_exist_are_left_out() -> None:
    world = holding()
    gone = RevisionStatus(name="users-99999999", role="Serving", percent=20)
    second = RevisionStatus(name="users-88888888", role="Stable", percent=30)
    world.state = replace(world.state, revisions=(gone, *world.state.revisions, second))
    world.turn(1)
    assert world.percents() == {CANDIDATE: 50, "users": 50}
    assert set(world.roles()) == {"users", CANDIDATE, "users-88888888"}
    world.turn(1)
    assert set(world.roles()) == {"users", CANDIDATE}


def test_texts_fit_the_schema() -> None:
    """The API server refuses a status with longer ones, and the rollout would stay as it is."""
    long = "users-" + "a" * 57
    world = World(spec(rollout={}))
    world.begin()
    world.latest = long
    world.workloads[long] = Workload(1, 0, 1, is_late=True, problem="p" * 3000)
    world.freeze = True
    world.run(3)
    assert world.phase == "Failed"
    RolloutStatus.model_validate(world.state.details()["rollout"])
    for each in world.state.details()["revisions"]:
        RevisionStatus.model_validate(each)


def test_old_revisions_are_kept_up_to_the_limit() -> None:
    limited = {"analysis": OFF, "revisionHistoryLimit": 2, "steps": [{"weight": 50}]}
    world = World(spec(rollout=limited))
    world.turn()
    for number in range(1, 7):
        world.latest = f"users-{number}"
        world.run(60)
    assert set(world.workloads) == {"users-6", "users-5", "users-4"}
    assert list(world.roles()) == ["users-6", "users-5", "users-4"]
    world.latest = "users-4"
    world.run(60)
    assert world.percents() == {"users-4": 100}


def test_manual_waits_without_calls_and_blue_green_gives_all() -> None:
    world = World(spec(rollout={"strategy": "Manual"}))
    world.begin()
    world.run(1000)
    assert (world.phase, world.percents()) == ("Paused", {"users": 100})
    assert world.workloads[CANDIDATE].desired == 1
    world.command(f"promote {CANDIDATE}")
    world.run(3)
    assert world.percents() == {CANDIDATE: 100}

    world = World(spec(rollout={"strategy": "BlueGreen", "analysis": OFF}))
    world.begin()
    world.until("Holding")
    assert world.percents() == {CANDIDATE: 100}
    assert world.roles()["users"] == "Stable"
    world.run(290)
    assert world.workloads["users"].desired == 4
    world.run(20)
    assert world.phase == "Completed"


def test_without_a_gateway_only_readiness_counts() -> None:
    world = World(spec(rollout={}), others={"has_gateway": False, "weights_acknowledged": False})
    world.begin()
    world.freeze = True
    waiting = world.turn(1)
    assert waiting.progress is not None
    assert "without spec.gateway" in waiting.progress.message
    world.freeze = False
    world.run(3)
    assert world.percents() == {CANDIDATE: 100}
    world.run(10)
    assert world.workloads["users"].desired == 0
