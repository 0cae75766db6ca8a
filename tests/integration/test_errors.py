"""The API server refuses, stalls or goes away: nothing is lost and nobody else waits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from grpc_operator.labels import HANDOVER_FIELD_MANAGER
from grpc_operator.resources import SERVICES, Manifest
from tests.integration.conftest import Start
from tests.integration.faults import Call, Fault, Kind
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

CPU: dict[str, Any] = {"resources": {"requests": {"cpu": "100m"}}}
SCALED: dict[str, Any] = CPU | {"autoscaling": {"maxReplicas": 3}}

Match = Callable[[Call], bool]


def patches(resource: str, name: str) -> Match:
    """Matches an apply."""
    return lambda call: (call.method, call.resource, call.name) == ("PATCH", resource, name)


CREATED: dict[str, Match] = {
    "x-serviceaccount": patches("serviceaccounts", "x-serviceaccount"),
    "x-configmap": patches("configmaps", "x-configmap-grpc-client"),
    "x-headless": patches("services", "x-headless-headless"),
    "x-service": patches("services", "x-service"),
    "x-deployment": patches("deployments", "x-deployment"),
    "x-budget": patches("poddisruptionbudgets", "x-budget"),
    "x-autoscaler": patches("horizontalpodautoscalers", "x-autoscaler"),
    "x-status": patches("grpcservices/status", "x-status"),
}
"""Objects by the write that fails while they are made."""

UPDATED: dict[str, tuple[dict[str, Any], dict[str, Any], Match]] = {
    "x-event": (CPU, CPU | {"image": "user-service:0.2.0"}, lambda call: call.resource == "events"),
    "x-removal": (
        CPU,
        CPU | {"podDisruptionBudget": {"mode": "Disabled"}},
        lambda call: (call.method, call.name) == ("DELETE", "x-removal"),
    ),
    "x-handover": (
        CPU,
        SCALED,
        lambda call: call.query.get("fieldManager") == HANDOVER_FIELD_MANAGER,
    ),
}
"""Objects by the write that fails while they are changed: from, to, and which write."""


@pytest.mark.parametrize("kind", [409, 429, 500, 503, "reset", "hang"])
def test_an_error_on_any_write_is_retried(
    operator: OperatorProcess, proxy: Proxy, space: Space, kind: Kind
) -> None:
    """After the last error every object becomes as if there had been none."""
    space.apply("x-model", **CPU)
    for name, (first, _, _) in UPDATED.items():
        space.apply(name, **first)
    for name in ("x-model", *UPDATED):
        space.wait_ready(name)
    wanted = space.end_state("x-model")

    matches = CREATED | {name: match for name, (_, _, match) in UPDATED.items()}
    faults = [Fault(kind, match) for match in matches.values()]
    proxy.faults += faults
    for name in CREATED:
        space.apply(name, **(SCALED if name == "x-autoscaler" else CPU))
    for name, (_, second, _) in UPDATED.items():
        space.apply(name, **second)
    wait_until(lambda: all(fault.taken for fault in faults), "every write has failed once")
    proxy.restore()

    for name in matches:
        space.wait_ready(name)
    for name in set(CREATED) - {"x-autoscaler"}:
        assert space.end_state(name) == wanted, name
    for name in ("x-autoscaler", "x-handover"):
        assert f"HorizontalPodAutoscaler/{name}" in space.children(name)
    wait_until(
        lambda: "PodDisruptionBudget/x-removal" not in space.children("x-removal"),
        "the budget is removed",
    )
    assert space.deployment("x-handover")["spec"]["replicas"] == 2
    assert operator.exit_code is None


def test_a_failing_object_does_not_delay_another(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """A healthy one is updated between the errors of one object and during a write of another."""
    space.apply("healthy")
    space.wait_ready("healthy")
    failing = Fault(500, patches("serviceaccounts", "failing"), times=1_000_000)
    hanging = Fault("hang", patches("serviceaccounts", "hanging"), times=1_000_000)
    proxy.faults += [failing, hanging]
    for name in ("failing", "hanging"):
        space.apply(name)
    wait_until(lambda: failing.taken >= 2 and hanging.taken, "one fails, the other one hangs")

    for tag in range(10):
        image = f"user-service:0.0.{tag}"
        space.apply("healthy", image=image)
        wait_until(partial(has_image, space, image), "it is applied")

    assert not hanging.over.is_set()
    # The other children of the failing one are made; a Deployment waits for what its pods need.
    assert "ServiceAccount/failing" not in space.children("failing")
    assert "Deployment/failing" in space.children("failing")
    assert "Deployment/hanging" not in space.children("hanging")


def has_image(space: Space, image: str) -> bool:
    """Whether the Deployment of the healthy object has an image."""
    return image_of(space.deployment("healthy")) == image


def image_of(deployment: Manifest) -> str:
    """Returns the image of the gRPC container."""
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def test_an_outage_shorter_than_the_lease_is_sat_out(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """The process stays, although a renewal fails, and repairs what happened meanwhile."""
    operator = start(proxy, lease_duration_seconds=150)
    operator.wait_lease()
    space.apply()
    space.wait_ready()
    proxy.cut_off()
    since = len(proxy.calls)
    space.delete(SERVICES, "users")
    wait_until(
        lambda: any(call.resource == "leases" for call in proxy.calls[since:]),
        "the Lease could not be renewed",
    )
    proxy.restore()
    wait_until(lambda: space.get(SERVICES, "users"), "the Service is back")
    assert operator.exit_code is None


def test_an_outage_longer_than_the_lease_ends_the_process(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """With exit code 1 and the reason, for another replica may write by now; the next one goes on.

    That is what ``LeaseLostError`` documents: a pod is restarted then.
    """
    operator = start(proxy)
    operator.wait_lease()
    space.apply()
    space.wait_ready()
    proxy.cut_off()
    space.delete(SERVICES, "users")
    assert operator.wait() == 1
    assert "Exiting to be restarted: Lease" in operator.tail()
    proxy.restore()
    start(proxy, lease_name="fresh").wait_lease()
    wait_until(lambda: space.get(SERVICES, "users"), "the Service is back")
