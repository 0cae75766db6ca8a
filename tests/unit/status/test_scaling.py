"""What an autoscaler and a disruption budget do, beside Ready."""

from typing import Any

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.status import conditions, scaling
from tests.unit.reconcile import users
from tests.unit.status import deployment, observed

CPU: dict[str, Any] = {"resources": {"requests": {"cpu": "1"}}}


def service(**spec: Any) -> GrpcService:
    """Returns a service without a gateway."""
    return GrpcService.parse(users(1, **{**CPU, "gateway": None, **spec}))


SCALED = service(autoscaling={"minReplicas": 2, "maxReplicas": 4})


def autoscaler(**given: tuple[str, str, str]) -> dict[str, Any]:
    """Returns a HorizontalPodAutoscaler with conditions: status, reason and message by type."""
    return {
        "status": {
            "conditions": [
                {"type": type_, "status": status, "reason": reason, "message": message}
                for type_, (status, reason, message) in given.items()
            ]
        }
    }


ABLE = ("True", "ReadyForNewScale", "")
VALID = ("True", "ValidMetricFound", "")
BROKEN = ("False", "FailedGetContainerResourceMetric", 'no metrics "known"')
TWO = ("False", "AmbiguousSelector", "controlled by multiple HPAs: [shop/a shop/users]")
MANY = ("True", "TooManyReplicas", "more than the maximum")
FEW = ("True", "TooFewReplicas", "less than the minimum")


@pytest.mark.parametrize(
    ("found", "status", "reason", "words"),
    [
        (None, "Unknown", "Progressing", "not been evaluated"),
        (autoscaler(), "Unknown", "Progressing", "not been evaluated"),
        (
            autoscaler(AbleToScale=("False", "FailedGetScale", "no scale")),
            "False",
            "FailedGetScale",
            'reports "no scale"',
        ),
        (
            autoscaler(AbleToScale=ABLE, ScalingActive=BROKEN),
            "False",
            BROKEN[1],
            "reports \"no metrics 'known'\"",
        ),
        (autoscaler(AbleToScale=ABLE, ScalingActive=TWO), "False", TWO[1], "shop/a"),
        (
            autoscaler(AbleToScale=ABLE, ScalingActive=VALID, ScalingLimited=MANY),
            "True",
            "TooManyReplicas",
            "maxReplicas (4)",
        ),
        (
            autoscaler(AbleToScale=ABLE, ScalingActive=VALID, ScalingLimited=FEW),
            "True",
            "ValidMetricFound",
            "between 2 and 4",
        ),
    ],
    ids=["none", "new", "no scale", "no metric", "two", "at the maximum", "at the minimum"],
)
def test_scaling_active(found: dict[str, Any] | None, status: str, reason: str, words: str) -> None:
    """It repeats what the autoscaler reports, in quotation marks."""
    result = scaling.scaling_active(observed(owner=SCALED, autoscaler=found))
    assert result is not None
    assert (result.status, result.reason) == (status, reason)
    assert words in result.message


def test_a_service_that_serves_is_ready_although_it_is_not_scaled() -> None:
    """Its message says so."""
    found = autoscaler(AbleToScale=ABLE, ScalingActive=BROKEN)
    status = conditions.build(observed(owner=SCALED, autoscaler=found), {}, "now")
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"
    assert "not scaled automatically: the HorizontalPodAutoscaler reports" in ready["message"]


def test_a_service_without_an_autoscaler_has_no_such_condition() -> None:
    """Absent, as it would say nothing."""
    types = {each["type"] for each in conditions.build(observed(), {}, "now")["conditions"]}
    assert not types & {"ScalingActive", "DisruptionAllowed"}


@pytest.mark.parametrize("replicas", [0, 1])
def test_fewer_pods_than_the_minimum_are_never_ready(replicas: int) -> None:
    """Not even 0, whoever has scaled it down."""
    few = deployment(updatedReplicas=replicas, availableReplicas=replicas, replicas=replicas)
    few["spec"]["replicas"] = replicas
    status = conditions.build(observed(owner=SCALED, deployment=few), {}, "now")
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "Progressing")
    assert f"{replicas} of 2 pods" in ready["message"]


SCALE_ONE = {"autoscaling": {"minReplicas": 1, "maxReplicas": 4}}


@pytest.mark.parametrize(
    ("spec", "blocked"),
    [
        ({"replicas": 2}, False),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": 2}}, False),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": 3}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": 9}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": "67%"}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": "66%"}}, False),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": "100%"}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"maxUnavailable": 0}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"maxUnavailable": "0%"}}, True),
        ({"replicas": 3, "podDisruptionBudget": {"maxUnavailable": "1%"}}, False),
        (SCALE_ONE, False),
        (SCALE_ONE | {"podDisruptionBudget": {"minAvailable": 1}}, True),
        (SCALE_ONE | {"podDisruptionBudget": {"minAvailable": "50%"}}, True),
        ({"replicas": 1, "podDisruptionBudget": {"minAvailable": 1}}, False),
        ({"replicas": 3, "podDisruptionBudget": {"minAvailable": 3, "mode": "Disabled"}}, False),
    ],
)
def test_a_budget_that_never_lets_a_pod_go_is_named(spec: dict[str, Any], *, blocked: bool) -> None:
    """Percentages are rounded up, as the disruption controller does."""
    result = scaling.disruption_allowed(observed(owner=service(**spec)))
    assert (result is not None) == blocked
    if result is not None:
        assert (result.status, result.reason) == ("False", "NoDisruptionAllowed")
