"""``spec.traffic``: percentages that stay until the spec changes."""

from typing import Any

from tests.unit.rollout.world import World, spec

NEW = "users-22222222"


def split(*traffic: dict[str, Any], latest: str = NEW) -> World:
    """Returns a service with two revisions and explicit percentages."""
    world = World(spec(traffic=[{"revision": "Latest", "percent": 100}]))
    world.turn()
    world.turn(1)
    world.latest = latest
    world.spec = spec(traffic=list(traffic))
    return world


def test_calls_are_split_when_the_pods_are_ready() -> None:
    world = split({"revision": "Latest", "percent": 30}, {"revision": "users", "percent": 70})
    assert world.turn(1).sizes == {"users": 4, NEW: 2}
    assert world.percents() == {"users": 100}
    decision = world.turn(1)
    assert world.percents() == {"users": 70, NEW: 30}
    assert world.roles() == {NEW: "Serving", "users": "Stable"}
    assert decision.progress is None
    world.run(100)
    assert world.percents() == {"users": 70, NEW: 30}


def test_largest_share_is_stable_and_ties_go_to_the_latest() -> None:
    world = split({"revision": "Latest", "percent": 50}, {"revision": "users", "percent": 50})
    world.run(3)
    assert world.roles() == {NEW: "Stable", "users": "Serving"}
    assert world.workloads[NEW].desired == 4
    world.run(10)
    assert world.workloads["users"].desired == 2


def test_revision_that_is_not_named_gets_no_calls_and_no_pods() -> None:
    world = split({"revision": "users", "percent": 100})
    world.run(10)
    assert world.percents() == {"users": 100}
    assert world.workloads[NEW].desired == 0
    assert world.roles()[NEW] == "Retired", "it can be named"


def test_tag_without_percentage_has_a_pod() -> None:
    world = split({"revision": "users", "percent": 100}, {"revision": "Latest", "tag": "next"})
    world.run(3)
    assert world.percents() == {"users": 100}
    assert {each.name: each.tag for each in world.state.serving} == {"users": None, NEW: "next"}
    assert world.workloads[NEW].desired == 1


def test_unknown_revision_changes_nothing() -> None:
    world = split({"revision": "users-99999999", "percent": 100})
    decision = world.turn(1)
    assert "users-99999999 does not exist; the revisions are users, users-22222222" in (
        decision.remark
    )
    world.run(10)
    assert world.percents() == {"users": 100}


def test_schema_that_breaks_callers_keeps_the_percentages() -> None:
    world = split({"revision": "Latest", "percent": 30}, {"revision": "users", "percent": 70})
    world.others = {"schema_ok": False}
    world.run(10)
    assert world.percents() == {"users": 100}


def test_revision_that_loses_its_share_drains() -> None:
    world = split({"revision": "Latest", "percent": 30}, {"revision": "users", "percent": 70})
    world.run(5)
    world.spec = spec(traffic=[{"revision": "Latest", "percent": 100}])
    world.run(3)
    assert world.percents() == {NEW: 100}
    assert world.workloads["users"].desired == 4
    world.run(10)
    assert (world.roles()["users"], world.workloads["users"].desired) == ("Retired", 0)


def test_stable_revision_without_calls_keeps_its_pods_until_another_one_is() -> None:
    """Clients inside the cluster call it: in the hold of BlueGreen it has no share."""
    world = World(spec(rollout={"strategy": "BlueGreen", "analysis": {"mode": "Disabled"}}))
    world.begin()
    world.until("Holding")
    assert world.percents() == {NEW: 100}
    world.spec = spec(traffic=[{"revision": "Latest", "percent": 100}])
    world.latest = "users-33333333"
    world.freeze = True
    assert world.turn(1).sizes["users"] == 4


def test_rollout_after_traffic_begins_at_its_first_step() -> None:
    world = split({"revision": "Latest", "percent": 30}, {"revision": "users", "percent": 70})
    world.run(5)
    world.spec = spec(rollout={"analysis": {"mode": "Disabled"}})
    world.run(5)
    assert world.percents() == {"users": 95, NEW: 5}
