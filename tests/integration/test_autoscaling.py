"""Autoscaled services begin at their minimum, and the status says what the autoscaler does.

The cluster has no metrics server, so no metric can be read.
"""

from typing import Any

import pytest

from grpc_operator.resources import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, Manifest
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

CPU: dict[str, Any] = {"resources": {"requests": {"cpu": "100m"}}}
SCALED: dict[str, Any] = CPU | {"autoscaling": {"minReplicas": 3, "maxReplicas": 5}}


def scale(space: Space, name: str, replicas: int) -> None:
    """Does what ``kubectl scale deployment`` does."""
    space.api.patch(DEPLOYMENTS, space.name, name, {"spec": {"replicas": replicas}}, sub="/scale")


def has(space: Space, name: str, replicas: int) -> bool:
    """Whether a service is Ready with so many pods."""
    live = space.live(name)
    ready = condition(live, "Ready").get("status") == "True"
    return ready and live["status"]["readySummary"] == f"{replicas}/{replicas}"


def test_an_autoscaled_service_never_has_fewer_pods_than_its_minimum(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """At the start, from 0, and when somebody scales it down.

    It is Ready although its metric cannot be read, and says so.
    """
    space.apply("new", **SCALED)
    space.apply("off", **CPU | {"replicas": 0})
    ready = space.wait_ready("new")
    assert ready["status"]["readySummary"] == "3/3"
    space.wait_ready("off")
    space.apply("off", **CPU | {"replicas": None}, autoscaling=SCALED["autoscaling"])
    wait_until(lambda: has(space, "off", 3), "it has its minimum")
    scale(space, "off", 0)
    wait_until(lambda: space.deployment("off")["spec"]["replicas"] == 3, "it has it again")

    def broken() -> Manifest:
        active = condition(space.live("new"), "ScalingActive")
        assert active.get("status") == "False", active
        return active

    active = wait_until(broken, "the metric is named")
    assert active["reason"] == "FailedGetContainerResourceMetric"
    assert "metrics.k8s.io" in active["message"]
    ready = condition(space.live("new"), "Ready")
    assert ready["status"] == "True"
    assert "metrics.k8s.io" in ready["message"]
    scaled = [
        call for call in proxy.writes() if call.resource == "deployments" and call.name == "new"
    ]
    assert len(scaled) == 2, "it is created and gets its replicas, and nobody contests them"


def own_autoscaler(space: Space, name: str, target: dict[str, str]) -> None:
    """Creates a HorizontalPodAutoscaler that is not the operator's."""
    spec = {"scaleTargetRef": target, "minReplicas": 4, "maxReplicas": 5}
    made = {"metadata": {"name": name}, "spec": spec}
    space.api.create(HORIZONTAL_POD_AUTOSCALERS, space.name, made)


def on_grpc_service(name: str) -> dict[str, str]:
    """Returns the target that scales a GrpcService."""
    return {"apiVersion": "grpc.infera.dev/v1alpha1", "kind": "GrpcService", "name": name}


def test_an_autoscaler_of_ones_own_is_named_where_it_contests(
    operator: OperatorProcess, space: Space
) -> None:
    """On the Deployment, with the target that it needs; and beside ``spec.autoscaling``.

    With that target and without ``spec.autoscaling``, all is well.
    """
    space.apply(**CPU)
    space.apply("both", **SCALED)
    space.wait_ready()
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "users"}
    own_autoscaler(space, "mine", deployment)
    own_autoscaler(space, "second", on_grpc_service("both"))

    def contested() -> Manifest:
        ready = condition(space.live(), "Ready")
        assert ready.get("reason") == "FieldsContested", ready
        return ready

    message = wait_until(contested, "the autoscaler is named")["message"]
    assert "HorizontalPodAutoscaler mine scales it" in message
    assert "kind: GrpcService, name: users" in message

    target = {"spec": {"scaleTargetRef": on_grpc_service("users")}}
    space.edit(HORIZONTAL_POD_AUTOSCALERS, "mine", target)

    def ambiguous() -> Manifest:
        active = condition(space.live("both"), "ScalingActive")
        assert active.get("reason") == "AmbiguousSelector", active
        return active

    assert f"{space.name}/second" in wait_until(ambiguous, "both are named")["message"]
    wait_until(lambda: space.live()["spec"]["replicas"] == 4, "it scales the GrpcService")
    wait_until(lambda: space.deployment()["spec"]["replicas"] == 4, "and so the Deployment")
