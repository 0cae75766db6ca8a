"""Pods of a revision without weight stay as long as it has calls."""

from grpc_operator.rollout.calls import RevisionCalls
from tests.unit.rollout.world import CANDIDATE, World, spec


def promoted(**rollout: object) -> World:
    """Returns a service whose first revision has just lost its calls, but for one stream."""
    rollout = {"analysis": {"mode": "Disabled"}, "steps": [{"weight": 50}], **rollout}
    world = World(spec(rollout=rollout))
    world.begin()
    world.until("Holding")
    world.calls["users"] = RevisionCalls(in_flight=1)
    world.until("Completed")
    return world


def test_open_stream_keeps_the_pods() -> None:
    world = promoted()
    world.run(100)
    assert world.workloads["users"].desired == 4
    assert world.roles()["users"] == "Draining"
    world.calls["users"] = RevisionCalls(in_flight=0)
    world.run(4)
    assert world.workloads["users"].desired == 4, "a report may be older than the last call"
    world.run(4)
    assert world.workloads["users"].desired == 0
    assert world.roles()["users"] == "Retired"


def test_time_without_calls_counts_from_when_the_proxies_have_the_weights() -> None:
    """What was reported when the weights were decided is older than that."""
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}}))
    world.begin()
    world.until("Holding")
    world.command(f"abort {CANDIDATE}")
    world.turn(2)
    world.turn(6)
    assert world.workloads[CANDIDATE].desired == 1
    world.turn(6)
    assert world.workloads[CANDIDATE].desired == 0


def test_stream_that_does_not_end_is_limited() -> None:
    world = promoted(streams={"limit": "30s"})
    world.run(25)
    assert world.workloads["users"].desired == 4
    world.run(10)
    assert world.workloads["users"].desired == 0


def test_what_is_not_known_is_not_zero() -> None:
    world = promoted()
    world.calls["users"] = RevisionCalls(in_flight=None)
    world.run(100)
    assert world.workloads["users"].desired == 4


def test_pods_stay_until_every_proxy_has_the_new_weights() -> None:
    world = promoted(streams={"mode": "Drain"})
    world.acknowledges = False
    world.run(100)
    assert world.workloads["users"].desired == 4
    world.acknowledges = True
    world.run(2)
    assert world.workloads["users"].desired == 0


def test_pods_stay_until_the_services_select_the_new_ones() -> None:
    """The Services follow the status, which is written after the sizes."""
    for given in ({"streams": {"mode": "Drain"}}, {}):
        world = promoted(**given)
        world.others["has_gateway"] = bool(given)
        world.run(3)
        assert world.workloads["users"].desired == 4
        world.run(6)
        assert world.workloads["users"].desired == 0


def test_failed_candidate_drains_as_well() -> None:
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}}))
    world.begin()
    world.until("Holding")
    world.calls[CANDIDATE] = RevisionCalls(in_flight=3)
    world.command(f"abort {CANDIDATE}")
    world.run(50)
    assert world.workloads[CANDIDATE].desired == 1
    world.calls[CANDIDATE] = RevisionCalls(in_flight=0)
    world.run(10)
    assert world.workloads[CANDIDATE].desired == 0
    assert world.roles()[CANDIDATE] == "Failed"
