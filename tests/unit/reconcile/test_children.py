"""The objects of an owner: written once, put back, pruned, and each on its own."""

import asyncio
from functools import partial
from typing import Any, cast

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.desired.service import build
from grpc_operator.engine.store import Store
from grpc_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    InvalidSpecError,
    RejectedError,
)
from grpc_operator.kube.cluster import Cluster
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.reconcile import ownership
from grpc_operator.reconcile.children import ChildError, Children
from grpc_operator.reconcile.controllers import DeletionPendingError
from grpc_operator.reconcile.rewrites import Rewrites
from grpc_operator.resources import (
    CHILDREN,
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    SERVICES,
    Manifest,
)
from tests.unit.reconcile import users
from tests.unit.reconcile.fake_cluster import FakeCluster

ALL = [
    "apply ServiceAccount/users",
    "apply ConfigMap/users-grpc-client",
    "apply Service/users-headless",
    "apply Service/users",
    "apply Deployment/users",
]


SCALED: dict[str, Any] = {
    "autoscaling": {"maxReplicas": 9},
    "resources": {"requests": {"cpu": "1"}},
}


class World:
    """A cluster, what is known of it, and the children of one GrpcService."""

    def __init__(self, rewrites: Rewrites | None = None) -> None:
        self.cluster = FakeCluster()
        self.store = Store()
        self.children = Children(cast("Cluster", self.cluster), self.store, rewrites)

    async def converge(self, generation: int = 1, **spec: Any) -> list[ChildError]:
        """Converges the GrpcService ``users`` after a resync; forgets earlier writes."""
        self.cluster.writes.clear()
        self.resync()
        service = GrpcService.parse(users(generation, gateway=None, **spec))
        return await self.children.converge(service, build(service))

    def resync(self) -> None:
        """Lists everything, as the watches and the periodic resync do."""
        for resource in CHILDREN:
            found = [m for (kind, _), m in self.cluster.objects.items() if kind == resource.kind]
            self.store.replace(resource, found, 10**6)


@pytest.fixture
async def world() -> World:
    """A world in which the children exist."""
    made = World()
    assert await made.converge() == []
    assert made.cluster.writes == ALL
    return made


async def test_settled_children_cost_nothing(world: World) -> None:
    """Not even for an operator that has just started."""
    assert await world.converge() == []
    assert world.cluster.writes == []
    world.children = Children(cast("Cluster", world.cluster), world.store)
    assert await world.converge() == []
    assert world.cluster.writes == []


async def test_settled_children_are_compared_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reconciliation would read who owns each field of each of them."""
    compared, compare = [], ownership.deviation

    def counted(live: Manifest, desired: Manifest) -> ownership.Deviation | None:
        compared.append(desired["kind"])
        return compare(live, desired)

    monkeypatch.setattr(ownership, "deviation", counted)
    for _ in range(3):
        await world.converge()
    assert len(compared) == len(ALL)
    await world.converge(2, image="users:2")
    assert compared[len(ALL) :] == ["Deployment"] * 2  # before it is written, and after


async def test_only_what_differs_is_written(world: World) -> None:
    """A new image is a new Deployment, and nothing else."""
    await world.converge(2, image="users:2")
    assert world.cluster.writes == ["apply Deployment/users"]


async def test_a_field_that_somebody_took_is_put_back(world: World) -> None:
    """The other fields that they own stay theirs."""
    world.cluster.edit(SERVICES, "users", {"type": "NodePort", "sessionAffinity": "ClientIP"})
    await world.converge()
    assert world.cluster.writes == ["apply Service/users"]
    spec = world.cluster.objects["Service", "users"]["spec"]
    assert spec["type"] == "ClusterIP"


async def test_what_makes_the_object_invalid_is_replaced(world: World) -> None:
    """The API server refuses the apply because of what others have added."""
    world.cluster.edit(SERVICES, "users", {"type": "LoadBalancer", "loadBalancerSourceRanges": []})
    world.cluster.refusals["Service", "users"] = [RejectedError("may only be used when ...")]
    assert await world.converge() == []
    assert world.cluster.writes == [
        "apply Service/users",
        "replace Service/users",
        "apply Service/users",
    ]
    assert "loadBalancerSourceRanges" not in world.cluster.objects["Service", "users"]["spec"]


async def test_an_autoscaled_deployment_keeps_its_replicas_when_it_is_replaced() -> None:
    """They are the autoscaler's, and are not in the manifest."""
    world = World()
    await world.converge(**SCALED)
    world.cluster.edit(DEPLOYMENTS, "users", {"replicas": 7, "progressDeadlineSeconds": 1})
    world.cluster.refusals["Deployment", "users"] = [RejectedError("invalid")]
    assert await world.converge(**SCALED) == []
    assert world.cluster.writes[1] == "replace Deployment/users"
    assert world.cluster.objects["Deployment", "users"]["spec"]["replicas"] == 7


async def test_an_immutable_config_map_is_made_again(world: World) -> None:
    """It can be changed in no other way."""
    config = world.cluster.objects["ConfigMap", "users-grpc-client"]
    config["immutable"] = True
    config["metadata"]["managedFields"].append(
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:immutable": {}}}
    )
    config["metadata"]["annotations"] = {"grpc.infera.dev/applied-hash": "0"}
    config["metadata"]["resourceVersion"] = "999"
    world.cluster.refusals["ConfigMap", "users-grpc-client"] = [RejectedError("is immutable")]
    assert await world.converge() == []
    assert world.cluster.writes == [
        "apply ConfigMap/users-grpc-client",
        "delete ConfigMap/users-grpc-client",
        "apply ConfigMap/users-grpc-client",
    ]


@pytest.mark.parametrize(
    "error",
    [
        RejectedError("denied by a policy", status=422),
        ForbiddenError("quota", status=403),
        ConflictError("changed meanwhile", status=409),
        ClusterError("internal error", status=500),
    ],
)
async def test_one_child_that_cannot_be_written_does_not_stop_the_others(
    error: ClusterError,
) -> None:
    """Whatever the API server's reason, and although it is the first one."""
    world = World()
    world.cluster.refusals["ServiceAccount", "users"] = [error]
    (reported,) = await world.converge()
    assert world.cluster.writes == ALL
    assert reported.__cause__ is error
    assert await world.converge() == []
    assert world.cluster.writes == ["apply ServiceAccount/users"]


async def test_what_is_not_answered_delays_the_others_once() -> None:
    """A webhook that hangs takes its whole time for each object that it is for."""

    class Slow(FakeCluster):
        async def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> Manifest:
            started = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)
            waited.append(started)
            return await super().apply(manifest, manager=manager)

    waited: list[float] = []
    world = World()
    world.cluster = Slow()
    world.children = Children(cast("Cluster", world.cluster), world.store)
    assert await world.converge() == []
    assert world.cluster.writes == ALL
    assert len({round(each, 3) for each in waited}) <= 3


async def test_a_refusal_names_the_child_and_who_else_changed_it(world: World) -> None:
    """The object cannot be put back either."""
    world.cluster.edit(SERVICES, "users", {"type": "NodePort"})
    world.cluster.refusals["Service", "users"] = [RejectedError("no"), RejectedError("never")]
    (error,) = await world.converge()
    assert isinstance(error, InvalidSpecError)
    assert error.reason == "Rejected"
    assert str(error) == (
        "spec: the API server refuses Service users: no; kubectl-edit also changed this Service"
    )


async def test_an_error_of_the_schema_names_the_field_of_the_overlay() -> None:
    """The API server knows the fields of a pod, and the operator does not."""
    world = World()
    text = (
        "failed to create typed patch object (shop/users; apps/v1, Kind=Deployment):"
        " .spec.template.spec.nodeSelectr: field not declared in schema"
    )
    world.cluster.refusals["Deployment", "users"] = [RejectedError(text)]
    (error,) = await world.converge()
    assert str(error) == (
        "spec.podTemplate.spec.nodeSelectr: field not declared in schema"
        " (the API server's answer for Deployment users)"
    )


async def test_every_error_of_the_schema_is_named() -> None:
    """The API server lists them line by line."""
    world = World()
    text = (
        "PATCH /x: failed to create typed patch object (shop/users; apps/v1, Kind=Deployment):"
        " errors:\n  .spec.template.spec.a: field not declared in schema\n"
        "  .spec.template.spec.b: expected list, got &{1} (HTTP 500)"
    )
    world.cluster.refusals["Deployment", "users"] = [RejectedError(text)]
    (error,) = await world.converge()
    assert isinstance(error, InvalidSpecError)
    assert [(problem.field, problem.message.split(" (")[0]) for problem in error.problems] == [
        ("spec.podTemplate.spec.a", "field not declared in schema"),
        ("spec.podTemplate.spec.b", "expected list, got &{1}"),
    ]


async def test_admission_that_changes_the_request_is_not_fought(world: World) -> None:
    """A webhook replaces the applied hash: the next manifest is applied all the same."""
    annotations = world.cluster.objects["Deployment", "users"]["metadata"]["annotations"]

    async def apply(manifest: Manifest) -> Manifest:
        applied = await FakeCluster.apply(world.cluster, manifest)
        if manifest["kind"] == "Deployment":
            live = world.cluster.objects["Deployment", "users"]
            live["metadata"]["annotations"] = dict.fromkeys(annotations, "webhook")
            applied["metadata"]["annotations"] = live["metadata"]["annotations"]
        return applied

    world.cluster.apply = apply  # type: ignore[method-assign, assignment]
    await world.converge(2, image="users:2")
    assert world.cluster.writes == ["apply Deployment/users"]
    await world.converge(2, image="users:2")
    assert world.cluster.writes == []
    await world.converge(3, image="users:3")
    assert world.cluster.writes == ["apply Deployment/users"]


async def test_what_is_no_longer_wanted_is_deleted() -> None:
    """And only that."""
    world = World()
    await world.converge(replicas=2)
    await world.converge(2, replicas=1)
    assert world.cluster.writes == ["apply Deployment/users", "delete PodDisruptionBudget/users"]


async def test_an_object_that_the_operator_may_not_delete_is_left_alone(world: World) -> None:
    """Somebody gave it the labels and the owner reference of a child: no request that is denied."""
    live = world.cluster.objects["Service", "users"]
    metadata = live["metadata"] | {"name": "also-users", "uid": "x"}
    world.cluster.objects["Service", "also-users"] = {**live, "metadata": metadata}
    assert await world.converge() == []
    assert world.cluster.writes == []


async def test_an_object_from_a_backup_is_owned_by_nobody_else(world: World) -> None:
    """Its writer owned every field, so that none could ever be removed again."""
    live = world.cluster.edit(DEPLOYMENTS, "users", {})
    for entry in live["metadata"]["managedFields"]:
        entry |= {"manager": "velero-server", "operation": "Update"}
    world.cluster.objects["Deployment", "users"] = live
    assert await world.converge() == []
    assert world.cluster.writes == [
        "replace Deployment/users",
        "apply Deployment/users",
        "own Deployment/users",
    ]
    entries = world.cluster.objects["Deployment", "users"]["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["grpc-operator"]


async def test_a_foreign_object_of_the_same_name_is_never_changed() -> None:
    """The other children are made."""
    world = World()
    world.cluster.objects["Service", "users"] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "users", "namespace": "shop", "uid": "x", "resourceVersion": "1"},
    }
    (error,) = await world.converge()
    assert isinstance(error, InvalidSpecError)
    assert error.reason == "NameConflict"
    assert world.cluster.writes == [each for each in ALL if each != "apply Service/users"]


async def test_nothing_is_read_before_it_is_created() -> None:
    """Nearly always nothing of the name exists."""
    world = World()
    assert await world.converge() == []
    assert (world.cluster.reads, world.cluster.writes) == (0, ALL)


@pytest.mark.parametrize("foreign", [False, True])
async def test_what_exists_without_the_label_is_found(*, foreign: bool) -> None:
    """The watches do not show it. One attempt to create it is made, and changes nothing."""
    world = World()
    await world.converge()
    live = world.cluster.objects["Service", "users"]
    if foreign:
        metadata = {"name": "users", "namespace": "shop", "uid": "x", "resourceVersion": "1"}
        live = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
        world.cluster.objects["Service", "users"] = live
    seen = [world.cluster.objects["Service", "users-headless"]]
    unlabelled = partial(world.store.replace, SERVICES, seen, 10**6)
    world.resync = unlabelled  # type: ignore[method-assign]
    for attempts in (["apply Service/users"], []):
        world.cluster.reads = 0
        errors = await world.converge()
        assert [getattr(each, "reason", each) for each in errors] == ["NameConflict"] * foreign
        assert world.cluster.reads == 1
        assert world.cluster.writes == attempts
        assert world.cluster.objects["Service", "users"] is live


async def test_a_child_of_a_deleted_predecessor_is_waited_for(world: World) -> None:
    """It has the same names, and is being deleted by the garbage collector."""
    world.cluster.edit(DEPLOYMENTS, "users", {})
    metadata = world.cluster.objects["Deployment", "users"]["metadata"]
    metadata["ownerReferences"][0]["uid"] = "uid-of-the-predecessor"
    (error,) = await world.converge()
    assert isinstance(error, DeletionPendingError)
    assert world.cluster.writes == []


async def test_replicas_are_handed_over_to_the_autoscaler(world: World) -> None:
    """Somebody owns them at every moment: else they would be reset to 1."""
    await world.converge(2, **SCALED)
    assert world.cluster.writes[:2] == ["apply Deployment/users", "apply Deployment/users"]
    entries = world.cluster.objects["Deployment", "users"]["metadata"]["managedFields"]
    owners = [
        each["manager"] for each in entries if "f:replicas" in each["fieldsV1"].get("f:spec", {})
    ]
    assert owners == ["grpc-operator-handover"]
    assert HORIZONTAL_POD_AUTOSCALERS.kind in {kind for kind, _ in world.cluster.objects}
