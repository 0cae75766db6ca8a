"""Rollouts as the reconciler carries them out: what is written, in which order, and by whom."""

from copy import deepcopy
from typing import Any

import pytest

from tests.unit.reconcile.rollout_world import KilledError, RolloutWorld

STEPS = [{"weight": 10, "hold": "5s"}, {"weight": 50, "hold": "5s"}]
CANARY: dict[str, Any] = {
    "strategy": "Canary",
    "steps": STEPS,
    "analysis": {"mode": "Disabled"},
    "schema": {"mode": "Disabled"},
    "streams": {"mode": "Drain"},
}
ONE, TWO, THREE = "users:1", "users:2", "users:3"


@pytest.fixture
async def world() -> RolloutWorld:
    """A service whose first revision serves."""
    made = RolloutWorld(rollout=CANARY)
    await made.settle()
    return made


async def test_a_create_costs_each_child_once_and_two_statuses() -> None:
    """The headless Service of the revision is one of the children."""
    world = RolloutWorld(rollout=CANARY)

    writes = await world.settle()

    name = world.name_of(ONE)
    assert name != "users"
    assert sorted(writes) == sorted(
        [
            "apply ServiceAccount/users",
            "apply ConfigMap/users-grpc-client",
            f"apply ConfigMap/{name}-grpc-descriptor",
            "apply Service/users",
            "apply Service/users-headless",
            f"apply Service/{name}",
            f"apply Deployment/{name}",
            "apply PodDisruptionBudget/users",
            *["status GrpcService/users"] * writes.count("status GrpcService/users"),
        ]
    )
    assert writes.count("status GrpcService/users") <= 2
    assert world.weights() == {ONE: 100}
    assert world.condition("Ready")["status"] == "True"


async def test_a_settled_service_costs_nothing(world: RolloutWorld) -> None:
    """Not for an operator that has just started either, nor in the middle of a step."""
    world.restart()
    assert await world.settle() == []

    slow = CANARY | {"steps": [{"weight": 10, "hold": "10h"}]}
    world.edit(image=TWO, rollout=slow)
    await world.settle()
    assert world.weights() == {ONE: 90, TWO: 10}
    world.restart()
    assert await world.settle() == []


async def test_a_rollout_goes_through_its_steps(world: RolloutWorld) -> None:
    """Pods before calls, the stable revision never smaller, at last the Services."""
    first = world.name_of(ONE)
    world.edit(image=TWO, rollout=CANARY)
    seen: list[dict[str, int]] = []
    for _ in range(60):
        await world.step()
        if world.weights() not in seen:
            seen.append(world.weights())
        share, size = world.weights().get(TWO, 0), world.sizes().get(TWO, 0)
        assert size >= -(-share * 4 // 100)
        if share < 100:
            assert world.sizes()[ONE] == 4
            assert world.selected() == first

    assert seen == [{ONE: 100}, {ONE: 90, TWO: 10}, {ONE: 50, TWO: 50}, {TWO: 100}]
    assert world.selected() == world.selected("users") == world.name_of(TWO)
    assert world.roles() == {TWO: "Stable", ONE: "Retired"}
    assert world.sizes() == {ONE: 0, TWO: 4}
    assert world.condition("Ready")["status"] == "True"


async def test_a_step_costs_two_writes(world: RolloutWorld) -> None:
    """The Deployment's replicas and the status; an Event at the beginning and at the end."""
    world.edit(image=TWO, rollout=CANARY)

    writes = await world.settle()

    second = world.name_of(TWO)
    deployments = [each for each in writes if "Deployment/" in each]
    # Its first size is enough for 10%; then 50%, 100%, and the old one to 0.
    assert deployments == [
        *[f"apply Deployment/{second}"] * 3,
        f"apply Deployment/{world.name_of(ONE)}",
    ]
    assert [each for each in writes if each.startswith("event")] == [
        "event RolloutStarted",
        "event RolloutComplete",
    ]
    services = [each for each in writes if "Service/" in each and each.startswith("apply")]
    assert services == [
        f"apply Service/{second}",
        "apply Service/users-headless",
        "apply Service/users",
    ]
    assert writes.count("status GrpcService/users") <= 2 + 2 * len(STEPS) + 2


async def test_pods_that_are_not_ready_get_no_calls(world: RolloutWorld) -> None:
    """The message of Ready says how many are missing."""
    world.ready = False
    world.edit(image=TWO, rollout=CANARY)
    await world.settle()

    assert world.weights() == {ONE: 100}
    ready = world.condition("Ready")
    assert (ready["status"], ready["reason"]) == ("False", "RolloutInProgress")
    assert f"0 of 1 pods of {world.name_of(TWO)}" in ready["message"]
    assert world.condition("Available")["status"] == "True"
    assert world.status["readySummary"] == "4/4"


async def test_without_an_acknowledgement_no_step_ends(world: RolloutWorld) -> None:
    """However long it takes."""
    world.gateway.has_weights_ = False
    world.edit(image=TWO, rollout=CANARY)
    await world.settle(60)

    assert world.weights() == {ONE: 90, TWO: 10}


async def test_what_follows_a_decision_does_not_wait_for_an_event(world: RolloutWorld) -> None:
    """Such as the end of the old pods, of which no watch reports that it is due."""
    world.edit(image=TWO, rollout=CANARY, gateway=None)
    while world.weights() != {TWO: 100}:
        due = await world.step()
    assert world.sizes()[ONE] == 4
    assert due is not None
    assert due < 1


async def test_a_third_template_replaces_the_second(world: RolloutWorld) -> None:
    """Whose calls go back to the stable revision at once, and whose pods go afterwards."""
    world.edit(image=TWO, rollout=CANARY)
    while world.weights() != {ONE: 50, TWO: 50}:
        await world.step()
    world.edit(image=THREE, rollout=CANARY)
    await world.step()

    assert world.weights() == {ONE: 100}
    assert world.sizes()[ONE] == 4
    assert world.sizes()[TWO] > 0
    await world.settle()
    assert world.roles() == {THREE: "Stable", TWO: "Retired", ONE: "Retired"}
    assert world.sizes() == {ONE: 0, TWO: 0, THREE: 4}


async def test_the_same_yaml_applied_again_disturbs_nothing(world: RolloutWorld) -> None:
    """As GitOps tools do all the time."""
    world.edit(image=TWO, rollout=CANARY)
    seen = []
    for _ in range(60):
        world.cluster.renew(world.service)
        await world.step()
        seen.append(world.weights().get(TWO, 0))

    assert seen == sorted(seen)
    assert world.weights() == {TWO: 100}


async def test_frozen_deployments_are_only_scaled(world: RolloutWorld) -> None:
    """Whatever else of the spec changes."""
    first = world.cluster.objects["Deployment", world.name_of(ONE)]
    before = {**first["spec"], "replicas": 0}
    world.edit(image=TWO, rollout=CANARY, strategy={"type": "Recreate"})
    await world.settle()

    assert world.cluster.objects["Deployment", world.name_of(ONE)]["spec"] == before


async def test_old_revisions_are_deleted_with_all_that_is_theirs(world: RolloutWorld) -> None:
    """Those beyond the limit."""
    few = CANARY | {"revisionHistoryLimit": 1}
    first = world.name_of(ONE)
    for image in (TWO, THREE):
        world.edit(image=image, rollout=few)
        await world.settle()

    assert set(world.sizes()) == {TWO, THREE}
    left = {f"{kind}/{name}" for kind, name in world.cluster.objects}
    assert not {f"Service/{first}", f"ConfigMap/{first}-grpc-descriptor"} & left
    assert set(world.roles()) == {TWO, THREE}


async def test_without_a_rollout_everything_is_as_if_there_had_been_none(
    world: RolloutWorld,
) -> None:
    """The Deployment has the name of the service again."""
    world.edit(image=TWO, rollout=CANARY)
    await world.settle()
    world.edit(image=THREE)
    await world.settle()

    other = RolloutWorld(image=THREE)
    await other.settle()
    assert world.cluster.objects.keys() == other.cluster.objects.keys()
    for where, live in other.cluster.objects.items():
        assert world.cluster.objects[where].get("spec") == live.get("spec")
    assert "revisions" not in world.status
    assert "rollout" not in world.status


async def test_a_service_without_a_rollout_is_adopted() -> None:
    """Its Deployment is the first revision, and none of its pods is replaced."""
    world = RolloutWorld()
    await world.settle()
    template = world.cluster.objects["Deployment", "users"]["spec"]["template"]
    world.edit(rollout=CANARY)

    writes = await world.settle()

    assert not [each for each in writes if "Deployment/" in each]
    assert world.status["revisions"][0]["name"] == "users"
    assert world.cluster.objects["Deployment", "users"]["spec"]["template"] == template
    assert world.selected() == "users"
    assert world.selected("users-revision") == "users"
    world.edit(image=TWO, rollout=CANARY)
    await world.settle()
    assert world.roles() == {TWO: "Stable", ONE: "Retired"}
    assert world.cluster.objects["Deployment", "users"]["spec"]["template"] == template


async def test_an_unknown_revision_changes_nothing(world: RolloutWorld) -> None:
    """And the condition names those that exist."""
    world.edit(image=TWO, rollout=CANARY)
    while world.weights() != {ONE: 90, TWO: 10}:
        await world.step()
    before = world.status["revisions"], world.sizes()
    world.edit(
        image=TWO,
        rollout={"strategy": "Manual"},
        traffic=[{"revision": "users-00000000", "percent": 100}],
    )
    await world.settle()

    accepted = world.condition("Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "InvalidSpec")
    assert "spec.traffic[0].revision: revision users-00000000 does not exist" in accepted["message"]
    assert world.name_of(ONE) in accepted["message"]
    assert (world.status["revisions"], world.sizes()) == before


async def test_descriptors_stay_as_long_as_their_revisions_and_the_gateway(
    world: RolloutWorld,
) -> None:
    """That of a revision without pods as well, so that it can serve again."""
    world.edit(image=TWO, rollout=CANARY)
    await world.settle()
    both = {world.name_of(ONE), world.name_of(TWO)}
    assert descriptors(world) == {f"{name}-grpc-descriptor" for name in both}

    world.edit(image=TWO, rollout=CANARY, gateway=None)
    await world.settle()
    assert descriptors(world) == set()


def descriptors(world: RolloutWorld) -> set[str]:
    """Returns the names of the ConfigMaps that pin descriptors."""
    return {name for kind, name in world.cluster.objects if name.endswith("-grpc-descriptor")}


SCALED: dict[str, Any] = {
    "replicas": None,
    "resources": {"requests": {"cpu": "100m"}},
    "autoscaling": {"minReplicas": 3, "maxReplicas": 9},
    "rollout": CANARY,
}


async def test_the_autoscaler_keeps_the_stable_revision() -> None:
    """And gets the new one when that is stable, with as many pods."""
    world = RolloutWorld(**SCALED)
    await world.settle()
    first = world.name_of(ONE)
    target = world.cluster.objects["HorizontalPodAutoscaler", "users"]["spec"]["scaleTargetRef"]
    assert target["name"] == first
    world.autoscale(first, 6)
    world.edit(image=TWO, **SCALED)
    while world.weights() != {TWO: 100}:
        await world.step()
        live = world.cluster.objects["HorizontalPodAutoscaler", "users"]["spec"]
        assert world.sizes()[ONE] == 6
        if world.weights().get(TWO) != 100:
            assert live["scaleTargetRef"]["name"] == first
    await world.settle()

    live = world.cluster.objects["HorizontalPodAutoscaler", "users"]["spec"]
    assert live["scaleTargetRef"]["name"] == world.name_of(TWO)
    assert world.sizes() == {ONE: 0, TWO: 6}
    world.autoscale(world.name_of(TWO), 8)
    assert [each for each in await world.settle() if "Deployment/" in each] == []


async def end_of(world: RolloutWorld) -> Any:
    """Returns what is left when nothing is written any more, without times."""
    await world.settle()
    objects = {
        where: (live.get("spec"), live.get("data"), live.get("metadata", {}).get("labels"))
        for where, live in world.cluster.objects.items()
    }
    untimed = {"since": "", "promotionTime": ""}
    revisions = [{**each, **untimed} for each in world.status["revisions"]]
    rollout = {**world.status["rollout"], "since": ""}
    return objects, revisions, rollout, world.condition("Ready")["status"]


async def rolled_out(
    prepared: RolloutWorld, kill_at: int | None = None, *, before: bool = True
) -> tuple[Any, int]:
    """Rolls out a revision, kills the operator at a write, and returns the end."""
    world = deepcopy_of(prepared)
    world.edit(image=TWO, rollout=CANARY)
    world.cluster.kill_at, world.cluster.kill_before = kill_at, before
    world.cluster.writes.clear()
    try:
        await world.settle()
    except KilledError:
        world.restart()
    else:
        assert kill_at is None, "the write was never made"
    writes = len(world.cluster.writes)
    return await end_of(world), writes


def deepcopy_of(prepared: RolloutWorld) -> RolloutWorld:
    """Returns a world with the same objects and an operator that has just started."""
    world = RolloutWorld(rollout=CANARY)
    world.cluster = deepcopy(prepared.cluster)
    world.restart()
    return world


async def test_a_crash_at_any_write_leads_to_the_same_end(world: RolloutWorld) -> None:
    """Before the write, and after it; with the promotion and the end of the old pods."""
    wanted, writes = await rolled_out(world)
    assert writes > 10
    for kill_at in range(1, writes + 1):
        for before in (True, False):
            found, _ = await rolled_out(world, kill_at, before=before)
            assert found == wanted, f"killed {'before' if before else 'after'} write {kill_at}"
