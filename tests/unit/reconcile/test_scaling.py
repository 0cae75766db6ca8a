"""The replicas of an autoscaled Deployment, and others that set them."""

from typing import Any

import pytest

from grpc_operator.reconcile.children import ContestedError
from grpc_operator.resources import DEPLOYMENTS, Manifest
from tests.unit.reconcile.test_children import World

MINIMUM: dict[str, Any] = {
    "autoscaling": {"minReplicas": 3, "maxReplicas": 9},
    "resources": {"requests": {"cpu": "1"}},
}


def replicas(world: World) -> Any:
    """Returns what the Deployment has."""
    return world.cluster.objects["Deployment", "users"]["spec"].get("replicas")


def scale(world: World, count: int) -> None:
    """Does what ``kubectl scale deployment`` does."""
    world.cluster.edit(DEPLOYMENTS, "users", {"replicas": count})


@pytest.fixture
async def scaled() -> World:
    """A service that was autoscaled from the start."""
    world = World()
    assert await world.converge(**MINIMUM) == []
    return world


async def test_it_starts_at_the_minimum(scaled: World) -> None:
    """A new Deployment would have one pod until the autoscaler notices."""
    assert replicas(scaled) == 3
    assert await scaled.converge(**MINIMUM) == []
    assert scaled.cluster.writes == []


@pytest.mark.parametrize(("before", "after"), [(0, 3), (1, 3), (3, 3), (7, 7)])
async def test_an_autoscaler_takes_over_what_runs_or_its_minimum(before: int, after: int) -> None:
    """It leaves a Deployment without pods alone."""
    world = World()
    assert await world.converge(replicas=before) == []
    assert await world.converge(2, **MINIMUM) == []
    assert replicas(world) == after


async def test_nobody_scales_below_the_minimum(scaled: World) -> None:
    """Least of all to 0, where the autoscaler is off. What is above it is the autoscaler's."""
    scale(scaled, 0)
    assert await scaled.converge(**MINIMUM) == []
    assert replicas(scaled) == 3
    scale(scaled, 8)
    assert await scaled.converge(**MINIMUM) == []
    assert replicas(scaled) == 8


async def test_whoever_scales_to_zero_again_and_again_is_named(scaled: World) -> None:
    """And is overruled ever more rarely."""
    errors = []
    for _ in range(9):
        scale(scaled, 0)
        errors = await scaled.converge(**MINIMUM)
    (error,) = errors
    assert isinstance(error, ContestedError)
    assert str(error) == ("Deployment users: kubectl-edit sets spec.replicas to 0, but it needs 3")


def autoscaler(target: str, **metadata: Any) -> Manifest:
    """Returns a HorizontalPodAutoscaler that is not the operator's."""
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "mine",
            "namespace": "shop",
            "uid": "h",
            "resourceVersion": "1",
            **metadata,
        },
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}},
    }


KEDA = {
    "ownerReferences": [{"kind": "ScaledObject", "name": "so", "uid": "so", "controller": True}]
}


@pytest.mark.parametrize(
    ("metadata", "name"), [({}, "mine"), (KEDA, "mine of ScaledObject so")], ids=["hpa", "keda"]
)
async def test_an_autoscaler_of_ones_own_is_named_at_once(
    metadata: dict[str, Any], name: str
) -> None:
    """With the target that it needs; the Deployment is put back at most once a minute."""
    world = World()
    await world.converge(replicas=2)
    namespace = world.cluster.objects["Deployment", "users"]["metadata"]["namespace"]
    found = autoscaler("users", **metadata)
    found["metadata"] |= {"namespace": namespace, "resourceVersion": "1"}
    world.cluster.objects["HorizontalPodAutoscaler", "mine"] = found | {"apiVersion": ""}
    scale(world, 5)
    (error,) = await world.converge(replicas=2)
    assert replicas(world) == 2
    assert str(error).startswith(
        f"Deployment users: HorizontalPodAutoscaler {name} scales it, and so does spec.replicas;"
        " let it scale GrpcService users (scaleTargetRef: {apiVersion: grpc.infera.dev/v1alpha1,"
    )
    scale(world, 5)
    (again,) = await world.converge(replicas=2)
    assert str(again) == str(error)
    assert world.cluster.writes == []


async def test_the_autoscaler_of_a_spec_that_has_none_any_more_is_not_named(scaled: World) -> None:
    """Nobody has to do anything: the operator deletes it."""
    scale(scaled, 5)
    assert await scaled.converge(2, replicas=2) == []
    assert replicas(scaled) == 2
    assert ("HorizontalPodAutoscaler", "users") not in scaled.cluster.objects


async def test_a_hand_that_scales_is_no_autoscaler() -> None:
    """Nor is one of another Deployment."""
    world = World()
    await world.converge(replicas=2)
    namespace = world.cluster.objects["Deployment", "users"]["metadata"]["namespace"]
    found = autoscaler("others")
    found["metadata"] |= {"namespace": namespace, "resourceVersion": "1"}
    world.cluster.objects["HorizontalPodAutoscaler", "mine"] = found
    scale(world, 5)
    assert await world.converge(replicas=2) == []
    assert replicas(world) == 2
