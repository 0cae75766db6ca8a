"""How long a step lasts."""

from dataclasses import replace

from tests.unit.rollout.world import CANDIDATE, World, spec


def holding() -> World:
    """Returns a rollout whose only step has just been published."""
    steps = [{"weight": 50, "hold": "60s"}]
    world = World(spec(rollout={"analysis": {"mode": "Disabled"}, "steps": steps}))
    world.begin()
    world.acknowledges = False
    world.until("Holding")
    return world


def lasts(world: World) -> int:
    """Returns the seconds until the candidate has all calls."""
    start = world.now
    world.until("Completed")
    return round(world.now - start)


def test_hold_begins_when_every_proxy_has_the_weights() -> None:
    world = holding()
    world.run(1000)
    assert world.phase == "Holding"
    world.acknowledges = True
    assert 60 <= lasts(world) <= 63


def test_message_says_why_the_proxies_do_not_have_the_weights() -> None:
    world = holding()
    world.workloads[CANDIDATE] = replace(world.workloads[CANDIDATE], problem="no endpoints")
    world.turn(1)
    assert world.state.rollout is not None
    assert world.state.rollout.message == (
        "50% of the calls for 60s, once the proxies have it (no endpoints)"
    )
    world.acknowledges = True
    world.turn(1)
    assert world.state.rollout.message == "50% of the calls for 60s"


def test_new_leader_counts_from_when_the_weights_were_published() -> None:
    world = holding()
    world.acknowledges = True
    world.run(50)
    world.memory = None
    assert 8 <= lasts(world) <= 12


def test_clock_that_is_set_back_makes_the_hold_no_longer_than_twice() -> None:
    world = holding()
    world.acknowledges = True
    world.run(30)
    world.now -= 100_000
    assert 60 <= lasts(world) <= 63
    world = holding()
    world.acknowledges = True
    world.run(30)
    world.memory = None
    world.now -= 100_000
    assert 60 <= lasts(world) <= 63


def test_proxy_that_is_behind_ends_no_step() -> None:
    world = holding()
    world.acknowledges = True
    world.run(30)
    world.others["weights_acknowledged"] = False
    world.run(100)
    assert world.percents() == {CANDIDATE: 50, "users": 50}
    del world.others["weights_acknowledged"]
    assert lasts(world) <= 3
