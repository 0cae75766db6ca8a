"""Two managers that insist on one field: damped, named, and over when the other stops."""

from typing import Any

import pytest

from grpc_operator.errors import InvalidSpecError
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.children import ContestedError
from grpc_operator.reconcile.rewrites import Rewrites
from grpc_operator.resources import DEPLOYMENTS
from tests.unit.reconcile.test_children import World

MINUTE = 60.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Returns the seconds that have passed."""
        return self.now


class Fight:
    """A manager that changes a Deployment back whenever it is applied."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.world = World(Rewrites(self.clock))
        self.writes: list[float] = []
        self.errors: list[ContestedError] = []

    def change(self) -> None:
        """Sets the field of the other manager."""
        if ("Deployment", "users") in self.world.cluster.objects:
            self.world.cluster.edit(DEPLOYMENTS, "users", {"progressDeadlineSeconds": 7})

    async def step(self, seconds: float, *, fought: bool = True, **spec: Any) -> None:
        """Lets time pass, the other manager act, and the operator reconcile."""
        self.clock.now += seconds
        if fought:
            self.change()
        self.errors = [
            error
            for error in await self.world.converge(**spec)
            if isinstance(error, ContestedError)
        ]
        if "apply Deployment/users" in self.world.cluster.writes:
            self.writes.append(self.clock.now)


async def test_a_fight_costs_a_write_a_minute() -> None:
    """In the steady state, however fast the other is; the first answers come at once."""
    fight = Fight()
    for _ in range(6):
        await fight.step(0.1)
    assert len(fight.writes) == 6
    for _ in range(40):
        await fight.step(6)
    fight.writes.clear()
    for _ in range(100):
        await fight.step(6)
    assert 9 <= len(fight.writes) <= 10
    gaps = [after - before for before, after in zip(fight.writes, fight.writes[1:], strict=False)]
    assert min(gaps) >= MINUTE


async def test_the_other_manager_and_the_field_are_named() -> None:
    """In the condition, for as long as it lasts, and in the same words."""
    fight = Fight()
    for _ in range(30):
        await fight.step(10)
    (error,) = fight.errors
    assert str(error) == (
        "Deployment users: kubectl-edit changes spec.progressDeadlineSeconds,"
        " which the operator applies"
    )
    waiting = BlockingErrors.of([error]).waiting
    assert waiting is not None
    assert waiting.reason == "FieldsContested"


async def test_a_change_of_the_spec_does_not_wait_for_the_fight() -> None:
    """A rollout is not delayed by somebody who insists on another field."""
    fight = Fight()
    for _ in range(30):
        await fight.step(10)
    fight.writes.clear()
    await fight.step(0.1, image="users:2")
    assert fight.writes == [fight.clock.now]


async def test_it_is_over_when_the_other_stops() -> None:
    """The field is right after a minute, and the next edit by hand is put back at once."""
    fight = Fight()
    for _ in range(30):
        await fight.step(10)
    await fight.step(MINUTE)
    fight.writes.clear()
    await fight.step(MINUTE, fought=False)
    assert fight.errors
    await fight.step(1.1 * MINUTE, fought=False)
    assert fight.errors == []
    assert fight.writes == []
    await fight.step(1)
    assert fight.writes == [fight.clock.now]


async def test_whoever_deletes_a_child_again_and_again_is_no_faster() -> None:
    """Nobody owns the fields of an object that is gone."""
    fight = Fight()
    for _ in range(40):
        fight.world.cluster.objects.pop(("Deployment", "users"), None)
        await fight.step(3, fought=False)
    assert len(fight.writes) < 12
    (error,) = fight.errors
    assert str(error) == "Deployment users: somebody deletes it"


async def test_a_rejected_write_is_no_fight() -> None:
    """It is the API server that says no, and it is asked again as before."""
    world = World(Rewrites(Clock()))
    await world.converge()
    world.cluster.refusals["Deployment", "users"] = [
        InvalidSpecError([]),  # type: ignore[list-item]
    ]
    for generation in range(2, 20):
        errors = await world.converge(generation, image="users:2")
        assert not any(isinstance(error, ContestedError) for error in errors)


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_another_version_is_never_delayed(seconds: float) -> None:
    """However often the object was written."""
    clock = Clock()
    rewrites = Rewrites(clock)
    for version in range(100):
        assert rewrites.due_in("a", str(version)) == 0
        rewrites.wrote("a", str(version))
        clock.now += seconds
    assert rewrites.contest("a") is None
