"""A forged EndpointSlice leads to no pod but those of the service itself."""

from collections.abc import Callable
from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.controlplane import known_endpoints
from grpc_operator.desired.service import headless_service
from grpc_operator.engine.store import Store
from grpc_operator.resources import ENDPOINT_SLICES, GRPC_SERVICES, PODS, SERVICES, Manifest
from tests.unit.controlplane.revisions import ADDRESSES, CANDIDATE, STABLE, World
from tests.unit.reconcile import NAMESPACE, USERS, users

OWN, VICTIM = "10.0.0.1", "10.0.9.9"


def pod(name: str, address: str, namespace: str = NAMESPACE, phase: str = "Running") -> Manifest:
    """Returns a pod with the labels of the service."""
    return {
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "labels": labels.of_service("users"),
        },
        "status": {"phase": phase, "podIP": address, "podIPs": [{"ip": address}]},
    }


def service() -> Manifest:
    """Returns the headless Service as the API server does."""
    made = headless_service.build(GrpcService.parse(users()))
    made["metadata"] |= {"uid": "uid-headless", "resourceVersion": "1"}
    return made


def controllers_slice(*addresses: str, name: str = "users-headless-abc") -> Manifest:
    """Returns a slice as the endpoint slice controller writes it."""
    return {
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "labels": labels.of_service("users")
            | {
                "kubernetes.io/service-name": "users-headless",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [
                {"kind": "Service", "name": "users-headless", "uid": "uid-headless"}
                | {"controller": True}
            ],
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]} for address in addresses],
        "ports": [{"name": "grpc", "port": 50051}],
    }


def world(*slices: Manifest, **others: Manifest) -> Store:
    """Returns a store with the service, its pod, and slices."""
    store = Store()
    store.put(GRPC_SERVICES, users())
    store.put(SERVICES, service())
    store.put(PODS, pod("own", OWN))
    for other in others.values():
        store.put(PODS, other)
    for each in slices:
        store.put(ENDPOINT_SLICES, each)
    return store


def reached(store: Store) -> list[str]:
    """Returns the addresses that the gateway would call."""
    return [each.address for each in known_endpoints.of_service(store, USERS)]


def test_the_pods_of_the_service_are_reached() -> None:
    """The slice of the controller leads to them."""
    assert reached(world(controllers_slice(OWN))) == [OWN]


def test_an_address_of_another_namespace_is_never_reached() -> None:
    """Not by a perfect copy of the controller's slice, nor with one good address beside it."""
    forged = controllers_slice(OWN, VICTIM, name="forged")
    assert reached(world(forged)) == [OWN]
    both = controllers_slice(OWN)
    both["endpoints"] = [{"addresses": [OWN, VICTIM]}]
    assert reached(world(both)) == []


def test_a_pod_elsewhere_with_the_same_labels_makes_no_difference() -> None:
    """Labels are anybody's; a pod counts in its own namespace."""
    other = pod("victim", VICTIM, namespace="other")
    assert reached(world(controllers_slice(VICTIM), other=other)) == []


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_address_of_a_pod_that_has_ended_is_not_reached(phase: str) -> None:
    """It may be another pod's by now, while the one that ended still shows it."""
    ended = pod("ended", VICTIM, phase=phase)
    assert reached(world(controllers_slice(OWN, VICTIM), ended=ended)) == [OWN]


def _of_another_controller(forged: dict[str, Any]) -> None:
    forged["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] = "me"


def _of_another_service(forged: dict[str, Any]) -> None:
    forged["metadata"]["labels"]["kubernetes.io/service-name"] = "mine"


def _without_owner(forged: dict[str, Any]) -> None:
    del forged["metadata"]["ownerReferences"]


def _of_a_service_that_is_gone(forged: dict[str, Any]) -> None:
    forged["metadata"]["ownerReferences"][0]["uid"] = "uid-of-a-predecessor"


def _without_labels(forged: dict[str, Any]) -> None:
    forged["metadata"]["labels"] = labels.of_service("users")


@pytest.mark.parametrize(
    "forge",
    [
        _of_another_controller,
        _of_another_service,
        _without_owner,
        _of_a_service_that_is_gone,
        _without_labels,
    ],
)
def test_a_slice_of_anybody_else_is_not_believed(forge: Callable[[dict[str, Any]], None]) -> None:
    """Not even about the service's own pod."""
    forged = controllers_slice(OWN)
    forge(forged)
    assert reached(world(forged)) == []


def test_a_service_that_is_somebody_elses_leads_nowhere() -> None:
    """A Service of the right name that the GrpcService does not own may select any pod."""
    store = world(controllers_slice(OWN))
    foreign = service()
    foreign["metadata"] |= {"ownerReferences": [], "resourceVersion": "2"}
    store.put(SERVICES, foreign)
    assert reached(store) == []


def by_revision(world: World, *names: str) -> dict[str, list[str]]:
    """Returns the addresses of revisions."""
    found = known_endpoints.of_revisions(world.store, USERS, names)
    return {name: [each.address for each in found[name]] for name in names}


def test_each_revision_has_the_pods_of_its_own_service() -> None:
    """The other ones' never, whatever a slice says."""
    world = World()
    both = tuple(ADDRESSES.values())
    world.put_slice(STABLE, *both)
    world.put_slice(CANDIDATE, *both)

    assert by_revision(world, STABLE, CANDIDATE) == {
        STABLE: [ADDRESSES[STABLE]],
        CANDIDATE: [ADDRESSES[CANDIDATE]],
    }


@pytest.mark.parametrize("is_empty", [True, False])
def test_the_shared_service_counts_until_a_revision_has_its_own(*, is_empty: bool) -> None:
    """A service that begins to have revisions loses no endpoint."""
    world = World()
    for each in world.store.all(ENDPOINT_SLICES):
        world.store.discard(ENDPOINT_SLICES, each)
    if is_empty:
        world.put_slice(STABLE, "198.18.0.9")
    world.store.put(SERVICES, service())
    world.store.put(ENDPOINT_SLICES, controllers_slice(ADDRESSES[STABLE]))

    assert by_revision(world, STABLE, CANDIDATE) == {STABLE: [ADDRESSES[STABLE]], CANDIDATE: []}


def test_a_pod_of_another_grpc_service_is_never_of_a_revision() -> None:
    """Though it has the revision's label, and even if a slice has its address."""
    world = World()
    world.put_pod("orders", of="orders", **{labels.REVISION: CANDIDATE})
    world.put_slice(CANDIDATE, "198.18.0.9")

    assert by_revision(world, CANDIDATE) == {CANDIDATE: []}


def test_a_pod_that_is_labelled_by_hand_stays_of_the_deployment_that_made_it() -> None:
    """A stable server does not get the calls that are meant for the new one."""
    world = World()
    made = world.put_pod(STABLE, **{labels.REVISION: CANDIDATE, "pod-template-hash": "5d4f"})
    reference = {"kind": "ReplicaSet", "name": "users-5d4f", "controller": True}
    metadata = {**made["metadata"], "resourceVersion": "99", "ownerReferences": [reference]}
    world.store.put(PODS, {**made, "metadata": metadata})
    world.put_slice(CANDIDATE, *ADDRESSES.values())

    assert by_revision(world, CANDIDATE) == {CANDIDATE: [ADDRESSES[CANDIDATE]]}
