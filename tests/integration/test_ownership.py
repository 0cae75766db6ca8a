"""Fields of children that others change: each case ends with the right value, then costs nothing.

The operator owns the fields that it applies and nothing else; the API server says who owns what.
"""

from collections.abc import Iterator

import pytest

from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import DEPLOYMENTS, SERVICES, Manifest
from tests.integration import policies
from tests.integration.api import Api
from tests.integration.conftest import Start
from tests.integration.operator_process import OperatorProcess
from tests.integration.ownership_cases import (
    HAND_EDITS,
    OTHERS,
    Action,
    Case,
    expect,
    expect_container,
    restore_deployment,
    strip_managed_fields,
)
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.waiting import holds_for, wait_until

pytestmark = pytest.mark.cluster

RESYNC_SECONDS = 1


def resyncs(proxy: Proxy, since: int) -> int:
    """Returns how many periodic resyncs have begun: each lists the Deployments."""
    return sum(
        call.resource == "deployments" and call.method == "GET" and not call.is_watch
        for call in proxy.calls[since:]
    )


def check_settled(proxy: Proxy, space: Space, case: Case) -> None:
    """Waits for the right value, then for two whole resyncs without a single write."""

    def right() -> bool:
        case.check(space)
        return True

    wait_until(right, case.name)

    def quiet() -> bool:
        start = len(proxy.calls)
        wait_until(lambda: resyncs(proxy, start) >= 3, "three resyncs have begun")
        return not proxy.writes(start)

    wait_until(quiet, "two resyncs pass without a write")
    case.check(space)


@pytest.fixture
def operator(start: Start, proxy: Proxy) -> OperatorProcess:
    """An operator that resyncs every second."""
    running = start(proxy, resync_seconds=RESYNC_SECONDS)
    running.wait_lease()
    return running


@pytest.mark.parametrize("case", [*HAND_EDITS, *OTHERS], ids=lambda case: case.name)
def test_it_settles(operator: OperatorProcess, proxy: Proxy, space: Space, case: Case) -> None:
    """What is the operator's is put back, what is not is left alone; then nothing is written."""
    space.apply(**case.spec)
    space.wait_ready()
    case.act(space)
    check_settled(proxy, space, case)
    space.wait_ready()


@pytest.mark.parametrize("case", HAND_EDITS[:6], ids=lambda case: case.name)
def test_what_was_changed_meanwhile_is_put_back_after_a_restart(
    start: Start, proxy: Proxy, space: Space, case: Case
) -> None:
    """Who owns what is in the cluster: the operator need not have seen the change."""
    operator = start(proxy, resync_seconds=RESYNC_SECONDS)
    operator.wait_lease()
    space.apply(**case.spec)
    space.wait_ready()
    operator.kill()
    case.act(space)
    start(proxy, resync_seconds=RESYNC_SECONDS).wait_lease()
    check_settled(proxy, space, case)


def test_a_change_of_the_spec_passes_a_changed_child(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """A union that was made invalid by hand does not block the next rollout."""
    space.apply()
    space.wait_ready()
    HAND_EDITS[0].act(space)
    space.apply(image="user-service:0.2.0")
    rolled_out = expect(
        DEPLOYMENTS, "users", "spec.template.spec.containers.0.image", "user-service:0.2.0"
    )
    check_settled(proxy, space, Case("the image is rolled out", HAND_EDITS[0].act, rolled_out))
    HAND_EDITS[0].check(space)


def test_the_cluster_ip_survives(operator: OperatorProcess, proxy: Proxy, space: Space) -> None:
    """Putting a Service back does not change the address that clients know."""
    space.apply()
    space.wait_ready()
    address = space.get(SERVICES, "users")["spec"]["clusterIP"]
    HAND_EDITS[0].act(space)
    check_settled(proxy, space, HAND_EDITS[0])
    assert space.get(SERVICES, "users")["spec"]["clusterIP"] == address


@pytest.mark.parametrize("lose", [strip_managed_fields, restore_deployment])
def test_what_is_no_longer_wanted_goes_although_ownership_was_lost(
    start: Start, proxy: Proxy, space: Space, lose: Action
) -> None:
    """Whoever wrote the object owned every field of it, and would have kept the variable."""
    operator = start(proxy, resync_seconds=RESYNC_SECONDS)
    operator.wait_lease()
    space.apply(env=[{"name": "A", "value": "1"}])
    space.wait_ready()
    operator.kill()
    lose(space)
    start(proxy, resync_seconds=RESYNC_SECONDS).wait_lease()
    space.apply()
    drained = [{"name": "GRPC_DRAIN_SECONDS", "value": "30"}]
    check_settled(proxy, space, Case("no variable", lose, expect_container(env=drained)))


def test_a_fight_over_a_field_is_damped_and_named(
    operator: OperatorProcess, proxy: Proxy, space: Space
) -> None:
    """A manager that changes a field back whenever it is applied is answered ever more rarely."""
    space.apply()
    space.wait_ready()
    wrong = {"spec": {"progressDeadlineSeconds": 7}}

    def contested() -> bool:
        if space.deployment()["spec"]["progressDeadlineSeconds"] != 7:
            space.edit(DEPLOYMENTS, "users", wrong)
        return condition(space.live(), "Ready").get("reason") == "FieldsContested"

    start = len(proxy.calls)
    wait_until(contested, "the fight is reported")
    message = condition(space.live(), "Ready")["message"]
    assert "Deployment users: kubectl-edit changes spec.progressDeadlineSeconds" in message
    before = proxy.writes(start)
    holds_for(lambda: contested() or True, 10, "the fight goes on")
    assert len([call for call in before if call.resource == "deployments"]) <= 6
    later = [call for call in proxy.writes(start) if call.resource == "deployments"]
    assert len(later) <= 6 + 3, "2, 4 and 8 seconds apart"

    def right() -> bool:
        return bool(space.deployment()["spec"]["progressDeadlineSeconds"] != 7)

    wait_until(right, "the field is right when the other has stopped")


@pytest.fixture
def policy(api: Api, space: Space) -> Iterator[policies.Policies]:
    """Admission policies for the test's namespace; they go with the test."""
    made = policies.Policies(api, space.name)
    yield made
    made.close()


MUTATIONS = {
    "adds a label": '{"metadata": {"labels": {"policy.example/team": "a"}}}',
    "changes a field that is applied": '{"spec": {"progressDeadlineSeconds": 999}}',
    "changes the pods": '{"spec": {"template": {"spec": {"schedulerName": "other"}}}}',
    "replaces the applied hash": (
        '{"metadata": {"annotations": {"grpc.infera.dev/applied-hash": "policy"}}}'
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutating_policy_is_not_fought(
    operator: OperatorProcess, proxy: Proxy, space: Space, policy: policies.Policies, mutation: str
) -> None:
    """What admission makes of a request is the cluster's decision."""
    policy.mutate_deployments(MUTATIONS[mutation])
    space.apply()
    space.wait_ready()
    check_settled(proxy, space, Case(mutation, lambda _: None, lambda _: None))
    space.apply(image="user-service:0.2.0")
    rolled_out = expect(
        DEPLOYMENTS, "users", "spec.template.spec.containers.0.image", "user-service:0.2.0"
    )
    check_settled(proxy, space, Case("the image is rolled out", lambda _: None, rolled_out))


def test_a_mutating_webhook_is_not_fought(
    operator: OperatorProcess, proxy: Proxy, space: Space, policy: policies.Policies
) -> None:
    """Not even one that makes something else of every request."""
    with policy.webhook() as seen:
        space.apply()
        space.wait_ready()
        check_settled(proxy, space, Case("a webhook", lambda _: None, lambda _: None))
        assert seen.requests > 0


def test_one_refused_child_does_not_stop_the_others(
    operator: OperatorProcess, proxy: Proxy, space: Space, policy: policies.Policies
) -> None:
    """The condition names it; it is tried again, and applied when the policy is gone."""
    policy.deny_services("users")
    space.apply()
    ready = wait_until(lambda: because(space, "AdmissionDenied"), "the refusal is reported")
    assert "The API server refuses Service users (HTTP 422): " in ready["message"]
    assert "denied by the test" in ready["message"]
    wait_until(
        lambda: (
            {"Deployment/users", "Service/users-headless", "PodDisruptionBudget/users"}
            <= space.children().keys()
        ),
        "the other children exist",
    )
    policy.close()
    space.wait_ready()
    check_settled(
        proxy,
        space,
        Case("healed", lambda _: None, expect(SERVICES, "users", "spec.type", "ClusterIP")),
    )


def test_the_other_manager_is_named(
    operator: OperatorProcess, space: Space, policy: policies.Policies
) -> None:
    """Where a child cannot be put back: who changed it is a part of the message."""
    space.apply()
    space.wait_ready()
    policy.deny_services("users", "object.spec.type == 'ClusterIP'")
    space.edit(SERVICES, "users", {"spec": {"type": "NodePort"}})
    ready = wait_until(lambda: because(space, "AdmissionDenied"), "the refusal is reported")
    assert "Service users" in ready["message"]
    assert "kubectl-edit also changed this Service" in ready["message"]
    assert FIELD_MANAGER not in ready["message"].split("kubectl-edit")[1]


def because(space: Space, reason: str) -> Manifest:
    """Returns ``Ready`` once it is false for a reason."""
    ready = condition(space.live(), "Ready")
    assert (ready.get("status"), ready.get("reason")) == ("False", reason), ready
    return ready
