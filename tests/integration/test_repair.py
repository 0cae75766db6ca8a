"""What changed behind the operator's back is put right; what is not its own is left alone."""

from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    GRPC_SERVICES,
    HORIZONTAL_POD_AUTOSCALERS,
    POD_DISRUPTION_BUDGETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Manifest,
    Resource,
)
from tests.integration.conftest import Start
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

RESYNC_SECONDS = 2.0

EVERYTHING: dict[str, Any] = {
    "metrics": {"port": 9090},
    "resources": {"requests": {"cpu": "100m"}},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 4},
}

CHILDREN: dict[str, tuple[Resource, str, Manifest]] = {
    "service-account": (SERVICE_ACCOUNTS, "users", {"automountServiceAccountToken": True}),
    "client-config": (CONFIG_MAPS, "users-grpc-client", {"data": {"GRPC_TARGET": "dns:///evil"}}),
    "headless-service": (SERVICES, "users-headless", {"spec": {"selector": {labels.SERVICE: "x"}}}),
    "service": (SERVICES, "users", {"spec": {"ports": [{"port": 1, "name": "grpc"}]}}),
    "deployment": (DEPLOYMENTS, "users", {"spec": {"progressDeadlineSeconds": 5}}),
    "disruption-budget": (POD_DISRUPTION_BUDGETS, "users", {"spec": {"maxUnavailable": 2}}),
    "autoscaler": (HORIZONTAL_POD_AUTOSCALERS, "users", {"spec": {"maxReplicas": 40}}),
}


def essence(live: Manifest) -> dict[str, Any]:
    """Returns what a person would compare of an object."""
    kept = {key: value for key, value in live.items() if key not in {"metadata", "status"}}
    metadata = live["metadata"]
    return kept | {key: metadata.get(key) for key in ("labels", "ownerReferences")}


def repaired(space: Space, resource: Resource, name: str, wanted: Manifest) -> bool:
    """Whether an object is as it was, apart from what the API server assigns afresh."""
    live = essence(space.get(resource, name))
    for field in ("clusterIP", "clusterIPs"):
        for side in (live, wanted):
            if isinstance(side.get("spec"), dict):
                side["spec"].pop(field, None)
    assert live == wanted
    return True


@pytest.mark.parametrize("child", CHILDREN)
def test_a_deleted_child_comes_back(operator: OperatorProcess, space: Space, child: str) -> None:
    """As it was, and because of the watch: the resync is minutes away."""
    resource, name, _ = CHILDREN[child]
    space.apply(**EVERYTHING)
    space.wait_ready()
    before = space.get(resource, name)
    space.delete(resource, name)
    wait_until(
        lambda: space.get(resource, name)["metadata"]["uid"] != before["metadata"]["uid"],
        f"{child} is back",
    )
    wait_until(
        lambda: repaired(space, resource, name, essence(before)),  # an autoscaled one in two writes
        f"{child} is as it was",
    )
    space.wait_ready()


@pytest.mark.parametrize("child", CHILDREN)
def test_a_changed_child_is_put_right(operator: OperatorProcess, space: Space, child: str) -> None:
    """Each by the watch: a field, the label the operator watches by, the owner reference.

    A foreign label and a foreign annotation stay.
    """
    resource, name, change = CHILDREN[child]
    space.apply(**EVERYTHING)
    space.wait_ready()
    foreign = {"labels": {"foreign": "label"}, "annotations": {"foreign": "annotation"}}
    space.edit(resource, name, {"metadata": foreign})
    wanted = essence(space.get(resource, name))
    changes = (
        change,
        {"metadata": {"labels": {labels.SERVICE: "another"}}},
        {"metadata": {"labels": {labels.MANAGED_BY: None}}},
        {"metadata": {"ownerReferences": None}},
    )
    for edit in changes:
        space.edit(resource, name, edit)
        wait_until(
            lambda: repaired(space, resource, name, wanted),
            f"{child} is put right after {edit}",
        )
    assert space.get(resource, name)["metadata"]["annotations"]["foreign"] == "annotation"


def test_deletion_needs_no_operator(operator: OperatorProcess, space: Space) -> None:
    """With the operator down, a deleted GrpcService goes away with all it owns."""
    space.apply(**EVERYTHING)
    space.wait_ready()
    operator.kill()
    space.delete(GRPC_SERVICES, "users")
    wait_until(lambda: space.end_state() == {}, "nothing is left")


def miss_the_deletion(proxy: Proxy, space: Space) -> None:
    """Watch frozen, object deleted, 410 on reconnect: kopf lists again and reports nothing."""
    gate = proxy.gate("grpcservices")
    gate.open = False
    space.delete(GRPC_SERVICES, "users")
    gate.gone = 1
    proxy.cut_watches("grpcservices")
    gate.open = True


def test_a_missed_delete_is_noticed_at_the_next_resync(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """Even when no other watch delivers anything; nothing is made again."""
    operator = start(proxy, resync_seconds=RESYNC_SECONDS)
    operator.wait_lease()
    space.apply()
    space.wait_ready()
    before = len(proxy.calls)
    for resource, *_ in CHILDREN.values():
        proxy.gate(resource.plural).open = False
    miss_the_deletion(proxy, space)
    wait_until(
        lambda: operator.metric("grpc_operator_grpcservices") == 0,
        "the operator knows that it is gone",
    )
    wait_until(lambda: space.end_state() == {}, "nothing is left")
    assert [str(call) for call in proxy.writes(before)] == []


def test_a_missed_delete_is_no_fight_with_the_garbage_collector(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """The first status write answered with 404 shows that the object is gone.

    No resync comes to help here: it is minutes away.
    """
    space.apply()
    space.wait_ready()
    before = len(proxy.calls)
    miss_the_deletion(proxy, space)
    wait_until(lambda: operator.metric("grpc_operator_grpcservices") == 0, "the operator knows")
    wait_until(lambda: space.end_state() == {}, "nothing is left")
    writes = [str(call) for call in proxy.writes(before)]
    assert len(writes) <= 12, writes


def test_a_silent_watch_delays_repair_by_a_resync_at_most(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """A stream that stays open and delivers nothing is made good by the periodic comparison."""
    start(proxy, resync_seconds=RESYNC_SECONDS).wait_lease()
    space.apply()
    space.wait_ready()
    proxy.gate("services").open = False
    space.delete(SERVICES, "users")
    wait_until(lambda: space.get(SERVICES, "users"), "it is back")


def test_a_namesake_made_at_once_gets_objects_of_its_own(
    operator: OperatorProcess, space: Space
) -> None:
    """Delete and recreate: it ends Ready, and no object belongs to the old one."""
    space.apply()
    old = space.wait_ready()["metadata"]["uid"]
    space.delete(GRPC_SERVICES, "users")
    new = space.apply()["metadata"]["uid"]
    assert new != old
    space.wait_ready()
    owners = {labels.controller_uid(child) for child in space.children().values()}
    assert owners == {new}


FOREIGN: dict[str, tuple[Resource, Manifest]] = {
    "service": (SERVICES, {"ports": [{"port": 80}]}),
    "headless-service": (SERVICES, {"ports": [{"port": 80}]}),
    "deployment": (
        DEPLOYMENTS,
        {
            "replicas": 0,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "a", "image": "b"}]},
            },
        },
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_object_of_the_same_name_is_never_changed(
    operator: OperatorProcess, space: Space, kind: str
) -> None:
    """The GrpcService says so, and how to fix it."""
    resource, spec = FOREIGN[kind]
    name = "users-headless" if kind == "headless-service" else "users"
    foreign = space.api.create(resource, space.name, {"metadata": {"name": name}, "spec": spec})
    space.apply()
    accepted = space.wait_condition("Accepted", "False")
    assert accepted["reason"] == "NameConflict"
    message = f"{resource.kind} {name} exists and does not belong to this GrpcService; delete it"
    assert message in accepted["message"]
    assert condition(space.live(), "Stalled")["status"] == "True"
    live = space.get(resource, name)
    assert live["metadata"].get("ownerReferences") is None
    assert live["spec"] == foreign["spec"]


def test_a_name_conflict_ends_when_the_foreign_object_goes(
    operator: OperatorProcess, space: Space
) -> None:
    """Soon and by itself, although the operator does not watch what is not its own."""
    resource, spec = FOREIGN["service"]
    space.api.create(resource, space.name, {"metadata": {"name": "users"}, "spec": spec})
    space.apply()
    space.wait_condition("Accepted", "False")
    space.delete(resource, "users")
    space.wait_ready()


def test_orphaned_children_are_adopted(operator: OperatorProcess, space: Space) -> None:
    """After ``kubectl delete --cascade=orphan`` a new GrpcService takes the running pods over."""
    space.apply()
    space.wait_ready()
    before = {key: child["metadata"]["uid"] for key, child in space.children().items()}
    space.delete(GRPC_SERVICES, "users", policy="Orphan")
    wait_until(lambda: space.api.get(GRPC_SERVICES, space.name, "users") is None, "it is gone")
    space.apply()
    owner = space.wait_ready()["metadata"]["uid"]
    after = space.children()
    assert {key: child["metadata"]["uid"] for key, child in after.items()} == before
    assert {labels.controller_uid(child) for child in after.values()} == {owner}
