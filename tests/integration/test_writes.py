"""What the operator writes: as little as possible, counted at the proxy."""

from typing import Any

import pytest

from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, HORIZONTAL_POD_AUTOSCALERS, SERVICES
from tests.integration.api import Api
from tests.integration.conftest import Start
from tests.integration.faults import Call
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import holds_for, wait_until

pytestmark = pytest.mark.cluster

CPU = {"requests": {"cpu": "100m"}}
MANY = 100


def of(calls: list[Call]) -> list[str]:
    """Returns the calls as sorted words."""
    return sorted(f"{call.method} {call.resource}" for call in calls)


def without_progress(calls: list[Call]) -> list[Call]:
    """Returns the calls without statuses that only report the progress of a long rollout.

    How many there are depends on how long it takes: one every 5 s at most.
    """
    kept, last = [], None
    for call in calls:
        verdict = call.verdict
        if verdict is None or verdict != last:
            kept.append(call)
        last = verdict or last
    return kept


CHILDREN = [
    "PATCH configmaps",
    "PATCH deployments",
    "PATCH poddisruptionbudgets",
    "PATCH serviceaccounts",
    "PATCH services",
    "PATCH services",
]
STATUS = "PATCH grpcservices/status"


def test_a_create_costs_six_children_and_at_most_two_statuses(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """Every write until Ready=True, Events included."""
    space.apply()
    space.wait_ready()
    writes = of(without_progress(proxy.writes()))
    statuses = writes.count(STATUS)
    assert statuses <= 2
    assert writes == sorted([*CHILDREN, *[STATUS] * statuses])


def test_an_image_update_costs_one_child_and_at_most_two_statuses(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """And one Event that reports that the rollout is complete."""
    space.apply()
    space.wait_ready()
    before = len(proxy.calls)
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    wait_until(
        lambda: "POST events" in of(proxy.writes(before)), "the rollout is reported as an Event"
    )
    writes = of(without_progress(proxy.writes(before)))
    statuses = writes.count(STATUS)
    assert statuses <= 2
    assert writes == sorted(["PATCH deployments", "POST events", *[STATUS] * statuses])


ROLLOUT: dict[str, Any] = {"analysis": {"mode": "Disabled"}}


def test_a_create_with_a_rollout_costs_one_service_more(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """The headless Service of the revision; its Deployment is the only one."""
    space.apply(rollout=ROLLOUT)
    space.wait_ready()
    writes = of(without_progress(proxy.writes()))
    statuses = writes.count(STATUS)
    assert statuses <= 2
    assert writes == sorted([*CHILDREN, "PATCH services", *[STATUS] * statuses])


def test_a_revision_costs_its_objects_and_those_that_follow_it(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """Without a gateway there are no steps. Afterwards nothing is written."""
    space.apply(rollout=ROLLOUT)
    space.wait_ready()
    before = len(proxy.calls)
    space.apply(image="user-service:0.2.0", rollout=ROLLOUT)

    def is_done() -> bool:
        found = space.wait_ready()["status"]["revisions"]
        pods = [(each["role"], each["readyReplicas"]) for each in found]
        events = of(proxy.writes(before)).count("POST events")
        return pods == [("Stable", 2), ("Retired", 0)] and events == 2

    wait_until(is_done, "the first revision has no pods, and both Events are there")
    writes = of(without_progress(proxy.writes(before)))
    statuses = writes.count(STATUS)
    assert statuses <= 4
    deployments, services = ["PATCH deployments"] * 2, ["PATCH services"] * 3
    events = ["POST events"] * 2
    assert writes == sorted([*deployments, *services, *events, *[STATUS] * statuses])
    settled = len(proxy.calls)
    space.apply(image="user-service:0.2.0", rollout=ROLLOUT)
    holds_for(lambda: not proxy.writes(settled), 2, "applying the same again costs nothing")


@pytest.fixture
def nobody_else(api: Api) -> None:
    """Waits until the namespaces of earlier tests are empty: an operator of this one sees all."""
    wait_until(lambda: not api.list(GRPC_SERVICES), "no GrpcService is left")


@pytest.fixture
def settled(nobody_else: None, start: Start, proxy: Proxy, space: Space) -> OperatorProcess:
    """An operator of the whole cluster that has brought MANY objects to Ready."""
    operator = start(proxy, watch_namespaces="", resync_seconds=2)
    for number in range(MANY):
        # Most without pods: by default kube-controller-manager makes only 20 requests a second.
        space.apply(f"users-{number}", replicas=int(number % 10 == 0))
    operator.wait_lease()
    wait_until(lambda: ready(space) == MANY, f"{MANY} objects are ready")
    settle(proxy, operator)
    return operator


def ready(space: Space) -> int:
    """Returns how many GrpcServices are Ready."""
    services = space.api.list(GRPC_SERVICES, space.name)
    return sum(_is_ready(service) for service in services)


def _is_ready(service: dict[str, Any]) -> bool:
    return any(
        entry["type"] == "Ready" and entry["status"] == "True"
        for entry in service["status"].get("conditions") or ()
    )


def settle(proxy: Proxy, operator: OperatorProcess) -> None:
    """Waits until a resync has found nothing to write, and nothing is queued."""
    since = -1

    def calm() -> bool:
        nonlocal since
        if since < 0 or proxy.writes(since):
            since = len(proxy.calls)
        queued = operator.metric("grpc_operator_workqueue_depth")
        return resyncs(proxy, since) >= 2 and queued == 0

    wait_until(calm, "nothing is left to be written")


def versions(space: Space) -> dict[str, str]:
    """Returns the resource version of every GrpcService, Deployment and Service."""
    return {
        f"{resource.kind}/{live['metadata']['name']}": live["metadata"]["resourceVersion"]
        for resource in (GRPC_SERVICES, DEPLOYMENTS, SERVICES)
        for live in space.api.list(resource, space.name)
    }


def resyncs(proxy: Proxy, since: int) -> int:
    """Returns how often GrpcServices were listed."""
    return sum(
        call.resource == "grpcservices" and call.method == "GET" and "limit" in call.query
        for call in proxy.calls[since:]
        if not call.is_watch
    )


def test_a_hundred_settled_objects_cost_nothing(
    settled: OperatorProcess, start: Start, proxy: Proxy, space: Space
) -> None:
    """Not over two resyncs, and not when the operator starts afresh."""
    before, known = len(proxy.calls), versions(space)
    wait_until(lambda: resyncs(proxy, before) >= 2, "two resyncs were made")
    assert of(proxy.writes(before)) == []
    assert settled.stop() == 0
    before = len(proxy.calls)
    again = start(proxy, watch_namespaces="", resync_seconds=2)
    again.wait_lease()
    ok = 'grpc_operator_reconcile_total{kind="GrpcService",result="success"}'
    wait_until(lambda: again.metric(ok) >= MANY, f"{MANY} objects were reconciled")
    wait_until(lambda: resyncs(proxy, before) >= 3, "the first and two more resyncs were made")
    assert of(proxy.writes(before)) == []
    assert versions(space) == known


def test_autoscaling_takes_over_and_gives_back_the_replicas(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """Neither way does the number of pods jump to Kubernetes' default of 1."""
    space.apply(replicas=3, resources=CPU)
    space.wait_ready()
    seen: set[int] = set()

    def replicas(expected: int) -> bool:
        seen.add(space.deployment()["spec"]["replicas"])
        return seen == {expected}

    space.apply(replicas=3, resources=CPU, autoscaling={"minReplicas": 2, "maxReplicas": 5})
    wait_until(
        lambda: replicas(3) and space.api.get(HORIZONTAL_POD_AUTOSCALERS, space.name, "users"),
        "there is an autoscaler",
    )
    space.wait_ready()
    holds_for(lambda: replicas(3), 1, "replicas stay 3")
    owners = {entry["manager"] for entry in owners_of_replicas(space)}
    assert owners == {"grpc-operator-handover"}

    space.apply(replicas=3, resources=CPU)
    wait_until(
        lambda: (
            replicas(3)
            and not space.api.get(HORIZONTAL_POD_AUTOSCALERS, space.name, "users")
            and "grpc-operator" in {entry["manager"] for entry in owners_of_replicas(space)}
        ),
        "the autoscaler is gone and replicas are the operator's again",
    )
    space.wait_ready()


def owners_of_replicas(space: Space) -> list[dict[str, Any]]:
    """Returns who owns ``spec.replicas`` of the Deployment."""
    return [
        entry
        for entry in space.deployment()["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    ]


def test_what_is_no_longer_asked_for_is_removed(operator: OperatorProcess, space: Space) -> None:
    """Optional objects are deleted; the metrics port leaves Service and Deployment."""
    space.apply(
        metrics={"port": 9090},
        resources=CPU,
        autoscaling={"maxReplicas": 3},
        env=[{"name": "A", "value": "1"}],
    )
    space.wait_ready()
    assert {"HorizontalPodAutoscaler/users", "PodDisruptionBudget/users"} <= set(space.children())
    assert ports(space) == (["grpc", "metrics"], ["grpc", "metrics"])
    space.apply(replicas=1)
    space.wait_ready()
    wait_until(
        lambda: (
            not {"HorizontalPodAutoscaler/users", "PodDisruptionBudget/users"}
            & set(space.children())
        ),
        "the optional objects are gone",
    )
    assert ports(space) == (["grpc"], ["grpc"])
    template = space.deployment()["spec"]["template"]
    assert "prometheus.io/scrape" not in (template["metadata"].get("annotations") or {})
    container = template["spec"]["containers"][0]
    assert [variable["name"] for variable in container["env"]] == ["GRPC_DRAIN_SECONDS"]
    assert not container.get("resources")


def ports(space: Space) -> tuple[list[str], list[str]]:
    """Returns the names of the Service's and of the container's ports."""
    container = space.deployment()["spec"]["template"]["spec"]["containers"][0]
    service = space.get(SERVICES, "users")["spec"]["ports"]
    return [port["name"] for port in service], [port["name"] for port in container["ports"]]
