"""Which revisions a service has, which one is the latest, and whose pods are selected."""

from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.api.status import RevisionStatus
from grpc_operator.controlplane.revision_pods import TEMPLATE_HASH
from grpc_operator.desired.service import revision
from grpc_operator.engine.store import Store
from grpc_operator.reconcile.revisions import Revisions
from grpc_operator.resources import DEPLOYMENTS, PODS, SERVICES, Manifest
from grpc_operator.rollout.state import State
from tests.unit.desired.service import service
from tests.unit.reconcile.fake_cluster import FakeCluster

CANARY: dict[str, Any] = {"rollout": {"strategy": "Canary"}}
OWNER = [{"kind": "GrpcService", "name": "users", "uid": "u-1", "controller": True}]
LEGACY = {labels.SERVICE: "users"}


def metadata(name: str, **more: Any) -> dict[str, Any]:
    """Returns the metadata of a child of the service ``users``."""
    own = {labels.SERVICE: "users", labels.MANAGED_BY: labels.FIELD_MANAGER}
    return {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "labels": own,
        "ownerReferences": OWNER,
        **more,
    }


def deployment(
    name: str, digest: str, replicas: int = 2, selector: dict[str, str] | None = None
) -> Manifest:
    """Returns the Deployment of a revision."""
    pods = selector or labels.revision_selector("users", name)
    return {
        "kind": "Deployment",
        "metadata": metadata(name, annotations={labels.REVISION_HASH: digest}),
        "spec": {"replicas": replicas, "selector": {"matchLabels": pods}},
    }


def pod(name: str, deployment: str, template_hash: str, *, ready: bool = True) -> Manifest:
    """Returns a pod of a Deployment."""
    replica_set = {"kind": "ReplicaSet", "name": f"{deployment}-{template_hash}"}
    own = {labels.SERVICE: "users", TEMPLATE_HASH: template_hash}
    truth = "True" if ready else "False"
    return {
        "kind": "Pod",
        "metadata": metadata(
            name, labels=own, ownerReferences=[{**replica_set, "uid": "r", "controller": True}]
        ),
        "spec": {"containers": []},
        "status": {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": truth}]},
    }


def headless(selector: dict[str, str]) -> Manifest:
    """Returns the Service ``NAME-headless``."""
    return {
        "kind": "Service",
        "metadata": metadata("users-headless"),
        "spec": {"selector": selector},
    }


async def read(subject: GrpcService, *live: Manifest) -> Revisions:
    """Returns the revisions of a service of which these objects are watched."""
    store = Store()
    resources = {each.kind: each for each in (DEPLOYMENTS, PODS, SERVICES)}
    for each in live:
        store.put(resources[each["kind"]], each)
    return await Revisions.read(FakeCluster(), store, subject)


def state(**roles: Any) -> State:
    """Returns a state with these revisions: role by name."""
    return State(tuple(RevisionStatus(name=n.replace("_", "-"), role=r) for n, r in roles.items()))


DIGEST = revision.digest(service())
OTHER = "0123abcd"


async def test_a_new_template_is_named_by_its_digest() -> None:
    """The Deployment that serves stays."""
    found = await read(service(**CANARY), deployment("users", OTHER))

    assert found.latest(State()).name == f"users-{DIGEST}"


async def test_the_deployment_that_has_the_template_is_adopted() -> None:
    """Whatever its name is, and with the selector that it has."""
    found = await read(service(**CANARY), deployment("users", DIGEST, selector=LEGACY))

    latest = found.latest(State())
    assert (latest.name, latest.selector) == ("users", LEGACY)


async def test_of_two_with_the_template_the_stable_one_is_taken() -> None:
    """So that nothing is rolled out."""
    live = [deployment("users", DIGEST), deployment(f"users-{DIGEST}", DIGEST)]
    found = await read(service(**CANARY), *live)

    for name in ("users", f"users-{DIGEST}"):
        known = State((RevisionStatus(name=name, role="Stable"),))
        assert found.latest(known).name == name


async def test_without_a_rollout_the_latest_has_the_name_of_the_service() -> None:
    """Even where another one has its template."""
    found = await read(service(), deployment(f"users-{DIGEST}", DIGEST))

    assert found.latest(State()).name == "users"
    assert found.are_used(State())


@pytest.mark.parametrize("stranger", [{"ownerReferences": []}, {"deletionTimestamp": "2026"}])
async def test_deployments_of_others_are_no_revisions(stranger: dict[str, Any]) -> None:
    """Nor those that are being deleted."""
    other = deployment(f"users-{OTHER}", OTHER)
    other["metadata"] |= stranger
    found = await read(service(), other)

    assert found.deployments == {}
    assert not found.are_used(State())


async def test_what_serves_is_known_without_a_status() -> None:
    """The Service selects it."""
    name = f"users-{OTHER}"
    selector = labels.revision_selector("users", name)
    assert (await read(service(), headless(selector))).selected == name
    assert (await read(service(), headless(LEGACY))).selected == "users"
    assert (await read(service())).selected is None


async def test_the_services_select_the_stable_revision() -> None:
    """Each revision has a headless Service of its own."""
    stable = f"users-{OTHER}"
    found = await read(service(**CANARY), deployment(stable, OTHER))
    known = State((RevisionStatus(name=stable, role="Stable"),))
    latest = found.latest(known)

    layout = found.layout(latest, known, {stable: 2, latest.name: 1})

    assert layout.stable == stable
    assert layout.stable_pods == labels.revision_selector("users", stable)
    assert layout.headless == {
        name: labels.revision_selector("users", name) for name in (stable, latest.name)
    }
    assert layout.replicas == 1


async def test_a_revision_that_gets_no_size_is_not_made() -> None:
    """One that has failed, for example."""
    stable = f"users-{OTHER}"
    found = await read(service(**CANARY), deployment(stable, OTHER))
    known = State((RevisionStatus(name=stable, role="Stable"),))

    layout = found.layout(found.latest(known), known, {stable: 2})

    assert not layout.is_applied
    assert layout.headless.keys() == {stable}


async def test_pods_without_a_label_are_told_by_their_replica_set() -> None:
    """While another revision has pods, or is to have some; the one with most ready pods counts."""
    old = deployment("users", OTHER, selector=LEGACY)
    pods = [
        pod("a", "users", "h1"),
        pod("b", "users", "h1"),
        *(pod(f"c{n}", "users", "h2", ready=False) for n in range(3)),
    ]
    found = await read(service(**CANARY), old, *pods)
    known = State((RevisionStatus(name="users", role="Stable"),))
    latest = found.latest(known)

    alone = found.layout(latest, known, {"users": 2, latest.name: 0})
    both = found.layout(latest, known, {"users": 2, latest.name: 1})

    assert alone.stable_pods == LEGACY
    assert both.stable_pods == both.headless["users"] == LEGACY | {TEMPLATE_HASH: "h1"}


async def test_the_autoscaler_has_the_replicas_of_the_stable_revision_alone() -> None:
    """Those of a candidate are the operator's."""
    stable = f"users-{DIGEST}"
    scaled = service(autoscaling={"maxReplicas": 5}, resources={"requests": {"cpu": 1}}, **CANARY)
    digest = revision.digest(scaled)
    found = await read(scaled, deployment(stable, digest), deployment("users", OTHER))
    for serves, replicas in ((stable, None), ("users", 1)):
        known = State((RevisionStatus(name=serves, role="Stable"),))
        latest = found.latest(known)
        assert latest.name == stable
        assert found.layout(latest, known, {stable: 1}).replicas == replicas
