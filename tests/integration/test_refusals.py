"""Whatever the API server refuses is in the status within seconds, and is tried again by itself."""

from functools import partial

import pytest

from grpc_operator.resources import GRPC_SERVICES, Manifest
from tests.integration import refusals
from tests.integration.api import Api
from tests.integration.faults import Fault
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.refusals import Case
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

SCALED = {"resources": {"requests": {"cpu": "100m"}}, "autoscaling": {"maxReplicas": 3}}
STATUS_FAILURES = (
    'grpc_operator_write_failures_total{code="404",kind="GrpcService/status",verb="apply"}'
)


def reported(space: Space, case: Case) -> Manifest:
    """Returns ``Ready`` of a case once it says what is refused."""
    live = space.live(case.name)
    ready = condition(live, "Ready")
    assert ready.get("status") == "False", ready
    assert ready["reason"] == case.reason, ready
    assert case.child in ready["message"], ready
    assert case.words in ready["message"], ready
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
    return ready


def test_every_refusal_is_reported_and_ends_by_itself(
    operator: OperatorProcess, api: Api, space: Space
) -> None:
    """The other children are made, and nobody edits the spec.

    Where the status itself is refused, the children are made all the same, and a metric counts it.
    """
    spec = {case.name: SCALED if case.name == "quota" else {} for case in refusals.CASES}
    space.apply("before")
    space.wait_ready("before")
    with refusals.installed(api, space):
        for name in [*spec, "no-status"]:
            space.apply(name, **spec.get(name, {}))
        for case in refusals.CASES:
            wait_until(partial(reported, space, case), f"{case.name} is reported", seconds=40)
            others = {f"Service/{case.name}", f"PodDisruptionBudget/{case.name}"}
            assert others <= space.children(case.name).keys()
        wait_until(lambda: operator.metric(STATUS_FAILURES) > 1, "the status is tried again")
        assert "Deployment/no-status" in space.children("no-status")
        assert "conditions" not in space.live("no-status").get("status", {})
        assert "no thanks, 404" in operator.log.read_text()
    for name in [*spec, "no-status"]:
        space.wait_ready(name)


def test_an_event_that_is_refused_stops_nothing(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """It is counted and in the log."""
    space.apply()
    space.wait_ready()
    fault = Fault(403, lambda call: call.resource == "events", times=1_000_000)
    proxy.faults.append(fault)
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    wait_until(lambda: fault.taken, "an Event was refused")
    space.apply(image="user-service:0.3.0")
    space.wait_ready()
    failures = 'grpc_operator_write_failures_total{code="403",kind="Event",verb="create"}'
    assert operator.metric(failures) >= 1
    retried = 'grpc_operator_reconcile_total{kind="GrpcService",result="requeue"}'
    assert operator.metric(retried) == 0


def test_a_failure_that_ends_at_once_is_not_reported(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """A conflict, for example, is retried before anybody is alarmed."""
    proxy.faults.append(Fault(409, lambda call: call.resource == "deployments" and call.is_write))
    space.apply()
    space.wait_ready()
    reasons = {entry[2] for call in proxy.calls if call.verdict for entry in call.verdict}
    assert "WriteFailed" not in reasons
    assert space.get(GRPC_SERVICES, "users")
