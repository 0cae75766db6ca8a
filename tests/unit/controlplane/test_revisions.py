"""``status.revisions`` -> targets: who gets how many calls, and what no state of it can break."""

from collections.abc import Callable
from typing import Any

import pytest

from grpc_operator import labels, names
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane import revisions
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.revisions import Weight
from grpc_operator.descriptor import load
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    PODS,
    SERVICES,
    Manifest,
)
from tests.unit.controlplane import built
from tests.unit.controlplane.revisions import (
    ADDRESSES,
    CANDIDATE,
    SETS,
    STABLE,
    World,
    revision,
    split,
)
from tests.unit.reconcile import GATEWAY, USERS, large_set, owner

OVERRIDE = {"methods": [{"service": "p.S", "method": "New", "timeouts": {"request": "1s"}}]}
WRONG = {"methods": [{"service": "p.S", "method": "Missing"}]}


def attachment(state: Built) -> Attachment:
    """Returns what is served."""
    served = state.attached.attachment
    assert served is not None
    return served


def methods(of: Any) -> set[str]:
    """Returns the names of the methods that a revision, or all of them, serve."""
    return {method.name for api in of.apis for method in api.methods}


async def test_each_revision_has_its_weight_and_its_own_descriptor() -> None:
    """As the leader has written it."""
    world = World()
    world.put_status(*split(25, tag="next", mirrorPercent=10))
    state = await world.build()
    stable, candidate = attachment(state).targets

    assert state.weights == {STABLE: 75, CANDIDATE: 25}
    assert state.stable == STABLE
    assert (stable.revision, candidate.revision) == (STABLE, CANDIDATE)
    assert (stable.cluster, candidate.cluster) == ("shop/users", "shop/users@7f3a9c2e")
    assert (candidate.tag, candidate.mirror_percent) == ("next", 10)
    assert methods(stable) == {"Do"}
    assert methods(candidate) == {"Do", "New"}
    assert state.attached.left_out == ()
    assert state.endpoints == {STABLE: 1, CANDIDATE: 1}
    for target in (stable, candidate):
        assert world.addresses(target.cluster) == [ADDRESSES[target.revision]]


async def test_a_service_with_one_revision_is_served_as_ever() -> None:
    """If that is the Deployment from before there were any."""
    world = World()
    before = attachment(await world.build())
    world.put_status(revision(STABLE, "Stable", 100))
    after = await world.build()

    assert attachment(after) == before
    assert not attachment(after).targets
    assert after.weights == {STABLE: 100}


async def test_the_only_revision_has_its_own_cluster() -> None:
    """With the descriptor of its own."""
    world = World()
    world.put_status(revision(CANDIDATE, "Stable", 100))
    state = await world.build()

    (target,) = attachment(state).targets
    assert (target.cluster, target.percent) == ("shop/users@7f3a9c2e", 100)
    assert methods(attachment(state)) == {"Do", "New"}
    assert state.weights == {CANDIDATE: 100}


async def test_a_revision_that_drains_keeps_its_cluster() -> None:
    """For the calls that it still has."""
    world = World()
    world.put_status(revision(CANDIDATE, "Stable", 100), revision(STABLE, "Draining", 0))
    state = await world.build()

    assert attachment(state).clusters == ("shop/users@7f3a9c2e", "shop/users")
    assert world.clusters == {"shop/users@7f3a9c2e", "shop/users"}
    assert world.addresses("shop/users") == [ADDRESSES[STABLE]]
    assert state.weights == {CANDIDATE: 100}


@pytest.mark.parametrize("role", ["Retired", "Failed"])
async def test_a_revision_without_pods_costs_nothing(role: str) -> None:
    """It is only kept to go back to."""
    world = World()
    world.put_status(revision(CANDIDATE, role, 0, replicas=0), revision(STABLE, "Stable", 100))
    assert not attachment(await world.build()).targets


def _without_descriptor(world: World) -> None:
    made = world.put_descriptor(CANDIDATE, SETS[CANDIDATE])
    world.store.discard(CONFIG_MAPS, made)


def _with_a_broken_descriptor(world: World) -> None:
    world.put_descriptor(CANDIDATE, b"\x0a\x00")


def _without_pods(world: World) -> None:
    world.store.discard(PODS, world.put_pod(CANDIDATE))


def _without_endpoints(world: World) -> None:
    made = world.put_slice(CANDIDATE)
    world.store.put(ENDPOINT_SLICES, {**made, "endpoints": [], "metadata": _newer(made)})


def _newer(made: Manifest) -> Manifest:
    metadata: Manifest = made["metadata"]
    return {**metadata, "resourceVersion": str(int(metadata["resourceVersion"]) + 1)}


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (_without_descriptor, "its descriptor has not been read yet"),
        (_with_a_broken_descriptor, "spec.descriptor: has a file with the name ''"),
        (_without_pods, "no pod of it is in the EndpointSlices of its Service"),
        (_without_endpoints, "no pod of it is in the EndpointSlices of its Service"),
    ],
)
async def test_no_call_goes_to_a_revision_that_cannot_serve_it(
    break_it: Callable[[World], None], why: str
) -> None:
    """Its share goes to the stable one; and the state says so, so that the step does not begin."""
    world = World()
    break_it(world)
    world.put_status(*split(50))
    state = await world.build()

    assert state.weights == {STABLE: 100}
    ((name, reason),) = state.attached.left_out
    assert (name, reason[: len(why)]) == (CANDIDATE, why)
    assert state.attached.invalid is None


async def test_it_gets_its_share_as_soon_as_it_can() -> None:
    """Nothing but its descriptor, and then its pod, has come."""
    world = World()
    _without_descriptor(world)
    _without_endpoints(world)
    world.put_status(*split(50, tag="next"))
    await world.build()
    world.put_descriptor(CANDIDATE, SETS[CANDIDATE])
    without_pods = await world.build()
    world.put_slice(CANDIDATE)
    state = await world.build()

    assert [(each.percent, each.tag) for each in attachment(without_pods).targets] == [
        (100, ""),
        (0, "next"),
    ]
    assert state.weights == {STABLE: 50, CANDIDATE: 50}


async def test_every_weight_is_built_and_no_progress_is() -> None:
    """The status changes with every pod that becomes ready."""
    world = World()
    await world.build()
    world.put_status(*split(5, readyReplicas=0))
    await world.plane.build()
    first = world.plane.state(USERS)
    world.put_status(*split(5, readyReplicas=1))
    await world.plane.build()

    assert isinstance(first, Built)
    assert first.weights == {STABLE: 95, CANDIDATE: 5}
    assert world.plane.state(USERS) is first
    seen = [first]
    for revised in (split(6), split(6, tag="next"), split(6, tag="next", mirrorPercent=1)):
        world.put_status(*revised)
        await world.plane.build()
        seen.append(built(world.plane, USERS))
        assert seen[-1] != seen[-2]


@pytest.mark.parametrize(
    "spec",
    [
        {"gateway": WRONG},
        {"gateway": {"gatewayRef": {"name": "typo"}}},
        {"gateway": {"protocols": ["HTTP9"]}},
    ],
)
async def test_weights_change_whatever_is_wrong_with_the_spec(spec: dict[str, Any]) -> None:
    """Calls can be taken back from a failed revision while somebody is mistyping."""
    world = World()
    world.put_status(*split(50))
    await world.build()
    world.put_status(*split(0), generation=2, **spec)
    state = await world.build()

    assert state.weights == {STABLE: 100}
    assert methods(attachment(state)) == {"Do"}


async def test_an_older_revision_need_not_have_the_services_of_the_new_one() -> None:
    """``spec.services`` is that of the latest, and each descriptor is cut to its revision's."""
    world = World(services=["p.S", "p.Later"])
    world.put_status(*split(50))
    state = await world.build()

    assert state.attached.invalid is None
    assert state.weights == {STABLE: 50, CANDIDATE: 50}


async def test_settings_may_name_what_only_one_revision_has() -> None:
    """Otherwise a method and its timeout could not come with the same change."""
    world = World(gateway=OVERRIDE)
    world.put_status(*split(50))
    state = await world.build()
    world.put_status(revision(STABLE, "Stable", 100))
    alone = await world.build()

    assert state.attached.invalid is None
    assert methods(attachment(state)) == {"Do", "New"}
    assert str(alone.attached.invalid) == (
        "spec.gateway.methods[p.S/New]: no such method; there are Do"
    )


async def test_what_exceeds_the_budget_leaves_the_weights_as_they_were() -> None:
    """The state does not claim otherwise, and a rollback has effect."""
    world = World(gateway={"rest": {"autoMapping": "Enabled"}})
    world.put_descriptor(CANDIDATE, load(large_set()).data)
    listeners = [{"name": "http", "port": 80}]
    small = {"budget": {"service": "1Mi"}, "listeners": listeners}
    world.store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, small, 2))
    world.put_status(revision(STABLE, "Stable", 100))
    accepted = await world.build()
    world.put_status(*split(50))
    refused = await world.build()
    world.put_status(revision(CANDIDATE, "Failed", 0), revision(STABLE, "Stable", 100))
    after = await world.build()

    assert accepted.attached.invalid is None
    assert refused.attached.invalid is not None
    assert refused.attached.invalid.reason == Reason.BUDGET_EXCEEDED
    assert refused.weights == {STABLE: 100}
    assert after.attached.invalid is None
    assert after.weights == {STABLE: 100}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [Weight(STABLE, 100)]),
        ([revision("orders", "Stable", 100)], [Weight(STABLE, 100)]),
        (split(250), [Weight(STABLE, 0), Weight(CANDIDATE, 100)]),
        (split(-5), [Weight(STABLE, 100), Weight(CANDIDATE, 0)]),
        (
            [revision(CANDIDATE, "Stable", 10), revision(STABLE, "Draining", 10)],
            [Weight(CANDIDATE, 90), Weight(STABLE, 10)],
        ),
        (
            [revision(CANDIDATE, "Candidate", 60), revision(STABLE, "Candidate", 40)],
            [Weight(CANDIDATE, 60), Weight(STABLE, 40)],
        ),
        (
            [
                revision(STABLE, "Stable", 100, tag="a"),
                revision(CANDIDATE, "Candidate", 0, tag="a"),
            ],
            [Weight(STABLE, 100, "a"), Weight(CANDIDATE, 0)],
        ),
        ([{"name": CANDIDATE, "role": "OfANewerOperator"}], [Weight(STABLE, 100)]),
    ],
)
def test_a_status_that_somebody_has_edited_is_no_risk(
    given: list[dict[str, Any]], expected: list[Weight]
) -> None:
    """Percentages add up to 100, and a tag is of one revision."""
    world = World()
    world.put_status(*given)
    assert list(revisions.read(world.store, USERS).weights) == expected


def test_without_a_status_the_stable_revision_is_the_one_that_the_service_selects() -> None:
    """Somebody has deleted it, or the object was restored from a backup."""
    world = World()
    world.put_service(STABLE)
    service = world.store.get(SERVICES, USERS.namespace, names.revision_service("users", STABLE))
    assert service is not None
    selecting = {**service["spec"]["selector"], labels.REVISION: CANDIDATE}
    metadata = {**service["metadata"], "name": names.headless_service("users"), "uid": "headless"}
    headless = {**service, "metadata": metadata, "spec": {"selector": selecting}}
    world.store.put(SERVICES, headless)

    assert revisions.read(world.store, USERS).weights == (Weight(CANDIDATE, 100),)
