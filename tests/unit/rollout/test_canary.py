"""The path of a candidate that is healthy."""

from tests.unit.rollout.world import World, spec

CANARY = {"rollout": {"strategy": "Canary", "analysis": {"mode": "Disabled"}}}


def test_first_revision_of_a_new_service_has_all_calls_at_once() -> None:
    world = World(spec(**CANARY), latest="users-11111111")
    world.turn()
    assert world.percents() == {"users-11111111": 100}
    assert world.state.rollout is None


def test_candidate_goes_through_every_step() -> None:
    world = World(spec(**CANARY))
    world.turn()
    world.latest = "users-22222222"
    seen = []
    for _ in range(2000):
        world.turn(1)
        if world.percents() not in seen:
            seen.append(world.percents())
    assert seen == [
        {"users": 100},
        {"users-22222222": 5, "users": 95},
        {"users-22222222": 25, "users": 75},
        {"users-22222222": 50, "users": 50},
        {"users-22222222": 100},
    ]
