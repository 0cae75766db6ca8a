"""The checks behind Ready: what fails each, and that the first one that fails counts."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.status import readiness
from grpc_operator.status.observed import Cause, ConditionResult, Observed
from grpc_operator.status.readiness import CHECKS, NotReady, evaluate
from tests.unit.status import REPORTS, deployment, observed, pod, waiting

REPLICA_FAILURE = {
    "type": "ReplicaFailure",
    "status": "True",
    "reason": "FailedCreate",
    "message": "exceeded quota",
}
TOO_LATE = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "timed out progressing",
}
CRASHING = pod(containerStatuses=waiting("CrashLoopBackOff", "back-off 10s"))


def test_no_check_fails_when_all_is_ready() -> None:
    """Every desired pod runs, and no gateway is asked for."""
    assert evaluate(observed()) is None
    assert [check(observed()) for check in CHECKS] == [None] * len(CHECKS)


FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("InvalidSpec", {"invalid": InvalidSpecError([Problem("spec.image", "wrong")])}),
    ("NameConflict", {"blocked": Cause(Reason.NAME_CONFLICT, "somebody has it")}),
    ("DeploymentBeingDeleted", {"deleted": True}),
    ("DeploymentPaused", {"paused": True, "updatedReplicas": 1}),
    ("FailedCreate", {"conditions": [REPLICA_FAILURE]}),
    ("CrashLoopBackOff", {"availableReplicas": 0, "pods": [CRASHING]}),
    (
        "DescriptorNotFound",
        {"refs": ConditionResult("False", Reason.DESCRIPTOR_NOT_FOUND, "no ConfigMap")},
    ),
    (
        "SchemaBreaking",
        {"schema": ConditionResult("False", Reason.SCHEMA_BREAKING, "RPC_NO_DELETE", stalled=True)},
    ),
    ("Conflicted", {"programmed": ConditionResult("False", Reason.CONFLICTED, "somebody has it")}),
    (
        "RolledBack",
        {"rollout": ConditionResult("False", Reason.ROLLED_BACK, "errors", stalled=True)},
    ),
)
"""One problem for each check, in the order of the checks, with the reason it leads to."""

WAITS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Progressing", {"generation": 2}),
    ("Progressing", {"availableReplicas": 0}),
    ("WaitingForPod", {"refs": ConditionResult("False", Reason.WAITING_FOR_POD, "no pod")}),
    ("NoProxies", {"programmed": ConditionResult("False", Reason.NO_PROXIES, "none")}),
    ("RolloutInProgress", {"rollout": ConditionResult("False", Reason.ROLLOUT_IN_PROGRESS, "5%")}),
)
"""What is no problem, but keeps an object from being ready."""


def faulty(*faults: dict[str, Any]) -> Observed:
    """Returns what is observed with all of these faults."""
    given: dict[str, Any] = {"conditions": []}
    for fault in faults:
        conditions = [*given["conditions"], *fault.get("conditions", ())]
        given |= fault | {"conditions": conditions}
    of_status = {
        name: given.pop(name)
        for name in ("generation", "availableReplicas", "updatedReplicas")
        if name in given
    }
    made = deployment(*given.pop("conditions"), **of_status)
    made["spec"]["paused"] = given.pop("paused", False)
    if given.pop("deleted", False):
        made["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
    return observed(deployment=made, **given)


def test_there_is_a_fault_for_each_check() -> None:
    """Each check finds its own problem."""
    assert len(FAULTS) == len(CHECKS)
    for check, (reason, fault) in zip(CHECKS, FAULTS, strict=True):
        found = check(faulty(fault))
        assert found is not None
        assert found.reason == reason


@pytest.mark.parametrize(("first", "second"), [*combinations(range(len(FAULTS)), 2)])
def test_the_first_problem_counts(first: int, second: int) -> None:
    """Of two the earlier check reports: the later one may only follow from it."""
    (reason, one), (_, other) = FAULTS[first], FAULTS[second]
    found = evaluate(faulty(one, other))

    assert found is not None
    assert found.reason == reason


@pytest.mark.parametrize(("wait", "waiting_for"), WAITS)
@pytest.mark.parametrize(
    ("reason", "fault"), [each for each in FAULTS if each[0] != "FailedCreate"]
)
def test_a_wait_hides_no_problem(
    wait: str, waiting_for: dict[str, Any], reason: str, fault: dict[str, Any]
) -> None:
    """A gateway that does not exist is named at once, not when the pods are ready."""
    unseen = "generation" in waiting_for and reason in {"CrashLoopBackOff", "DeploymentPaused"}
    if unseen or waiting_for.keys() & fault.keys() & {"refs", "programmed", "rollout"}:
        return
    found = evaluate(faulty(waiting_for, fault))

    assert found is not None
    assert found.reason == reason


def test_an_invalid_spec_is_stalled_with_every_problem() -> None:
    """Nothing changes before somebody changes the spec."""
    problems = [Problem("spec.image", "wrong"), Problem("spec.port", "used")]
    error = InvalidSpecError(problems, reason=Reason.REJECTED)
    expected = "2 problems: (1) spec.image: wrong; (2) spec.port: used"

    assert evaluate(observed(invalid=error)) == NotReady(Reason.REJECTED, expected, stalled=True)


def test_what_keeps_the_operator_waiting_is_progress() -> None:
    """It goes on by itself when the reason is gone."""
    found = evaluate(observed(blocked=Cause(Reason.NAME_CONFLICT, "somebody has it")))

    assert found == NotReady(Reason.NAME_CONFLICT, "somebody has it")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "The Deployment has not been created yet"),
        (
            deployment(generation=2),
            "0 of 2 pods are up to date and ready; old pods pending termination: 2",
        ),
        (
            {"metadata": {"generation": 1}, "spec": {"replicas": 2}},
            "0 of 2 pods are up to date and ready",
        ),
    ],
)
def test_a_deployment_that_kubernetes_has_not_seen(given: Any, message: str) -> None:
    """Its status, if it has one, is about the past; nor is what its old pods do a problem."""
    found = evaluate(observed(deployment=given, pods=[CRASHING]))

    assert found == NotReady(Reason.PROGRESSING, message)


@pytest.mark.parametrize(
    ("managers", "who"),
    [
        ([], "Somebody"),
        ([{"manager": "kubectl-rollout", "fieldsV1": {"f:spec": {"f:paused": {}}}}], "kubectl-rol"),
        ([{"manager": "x", "fieldsV1": {"f:spec": {}}}, {"manager": "y"}], "Somebody"),
    ],
)
def test_a_paused_deployment_is_named(managers: list[Any], who: str) -> None:
    """With the command that resumes it; unless there is nothing to be rolled out."""
    given = deployment(updatedReplicas=0)
    given["spec"]["paused"] = True
    given["metadata"]["managedFields"] = managers
    found = evaluate(observed(deployment=given))

    assert found is not None
    assert found.reason == Reason.DEPLOYMENT_PAUSED
    assert f". {who}" in found.message
    assert "`kubectl -n shop rollout resume deployment/users`" in found.message
    done = deployment()
    done["spec"]["paused"] = True
    assert evaluate(observed(deployment=done)) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            REPLICA_FAILURE,
            NotReady(KubernetesReason("FailedCreate"), "exceeded quota"),
        ),
        (REPLICA_FAILURE | {"status": "False"}, None),
        ({"type": "ReplicaFailure", "status": "True"}, NotReady(Reason.REPLICA_FAILURE, "")),
    ],
)
def test_pods_that_cannot_be_created(condition: Any, expected: NotReady | None) -> None:
    """Quota and admission speak through the Deployment's condition."""
    found = readiness.pods_can_be_created(observed(deployment=deployment(condition)))

    assert found == expected


LATE = "The rollout exceeded its progress deadline. "


@pytest.mark.parametrize(
    ("fault", "reason", "message"),
    [
        ({}, "ProgressDeadlineExceeded", "timed out progressing"),
        (
            {"pods": [CRASHING]},
            "CrashLoopBackOff",
            "0 of 2 pods are up to date and ready. Pod users-1: container grpc: back-off 10s",
        ),
        ({"conditions": [REPLICA_FAILURE]}, "FailedCreate", "exceeded quota"),
        ({"blocked": Cause(Reason.NAME_CONFLICT, "x")}, "NameConflict", "x"),
    ],
)
def test_a_rollout_that_is_late_is_stalled(
    fault: dict[str, Any], reason: str, message: str
) -> None:
    """Whatever the reason is: nothing else ends the wait of a pipeline."""
    late = {"conditions": [TOO_LATE], "availableReplicas": 0}

    assert evaluate(faulty(late, fault)) == NotReady(
        KubernetesReason(reason), LATE + message, stalled=True
    )


def test_a_rollout_that_is_complete_is_not_late() -> None:
    """A pod that crashes later is no reason to give up."""
    done = TOO_LATE | {"status": "True", "reason": "NewReplicaSetAvailable"}
    found = evaluate(faulty({"conditions": [done], "availableReplicas": 0, "pods": [CRASHING]}))

    assert found is not None
    assert not found.stalled


@pytest.mark.parametrize(
    ("wanted", "updated", "available", "existing", "message"),
    [
        (2, 2, 2, 2, None),
        (0, 0, 0, 0, None),
        (2, 0, 0, 0, "0 of 2 pods are up to date and ready"),
        (2, 2, 1, 2, "1 of 2 pods are up to date and ready"),
        (2, 1, 1, 1, "1 of 2 pods are up to date and ready"),
        (2, 0, 2, 2, "0 of 2 pods are up to date and ready; old pods pending termination: 2"),
        (2, 1, 3, 3, "1 of 2 pods are up to date and ready; old pods pending termination: 2"),
        (2, 1, 1, 3, "0 of 2 pods are up to date and ready; old pods pending termination: 2"),
        (2, 2, 3, 3, "2 of 2 pods are up to date and ready; old pods pending termination: 1"),
        (1, 3, 3, 3, "1 of 1 pods are up to date and ready; pods pending termination: 2"),
        (0, 1, 1, 1, "0 of 0 pods are up to date and ready; pods pending termination: 1"),
    ],
)
def test_pods_that_are_not_ready(
    wanted: int, updated: int, available: int, existing: int, message: str | None
) -> None:
    """Every desired pod must run the newest spec, and no other one may be left."""
    given = deployment(
        wanted=wanted,
        updatedReplicas=updated,
        availableReplicas=available,
        replicas=existing,
    )
    found = readiness.pods_are_ready(observed(deployment=given))

    assert found == (NotReady(Reason.PROGRESSING, message) if message else None)


def test_a_pod_says_why_it_is_not_ready() -> None:
    """Its reason is that of the condition; the rollout may still get over it."""
    given = observed(deployment=deployment(availableReplicas=1), pods=[CRASHING])

    assert readiness.pods_are_ready(given) == NotReady(
        KubernetesReason("CrashLoopBackOff"),
        "1 of 2 pods are up to date and ready. Pod users-1: container grpc: back-off 10s",
    )


def test_a_pod_with_a_problem_that_is_not_wanted_does_not_matter() -> None:
    """Enough others are ready."""
    assert readiness.pods_are_ready(observed(pods=[CRASHING])) is None


def test_a_sidecar_that_crashes_keeps_its_reason_while_the_pod_is_ready_again() -> None:
    """The kubelet has just started it once more."""
    crashed = {
        "name": "proxy",
        "restartCount": 4,
        "ready": True,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "lastState": {
            "terminated": {
                "exitCode": 1,
                "reason": "Error",
                "startedAt": "2025-12-31T23:59:00Z",
                "finishedAt": "2025-12-31T23:59:30Z",
            }
        },
    }
    ready = [{"type": "Ready", "status": "True"}]
    given = pod(initContainerStatuses=[crashed], conditions=ready, podIP="10.0.0.1")
    given["spec"] = {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}
    at = REPORTS.now.replace(year=2026, month=1, day=1, hour=0, minute=0, second=5)

    found = readiness.pods_are_ready(observed(pods=[given], reports=replace(REPORTS, now=at)))

    assert found is not None
    assert found.reason == "CrashLoopBackOff"


def test_what_a_program_writes_does_not_make_it_a_sidecar() -> None:
    """A pod that is not wanted has ended with such last words."""
    given = pod(containerStatuses=waiting("CrashLoopBackOff", "x: sidecar container y"))

    assert readiness.pods_are_ready(observed(pods=[given])) is None


@pytest.mark.parametrize("field", ["refs", "programmed"])
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, None),
        (ConditionResult("True", Reason.PROGRAMMED, "all is well"), None),
        (
            ConditionResult("Unknown", Reason.PENDING, "wait"),
            NotReady(Reason.PENDING, "wait"),
        ),
        (
            ConditionResult("False", Reason.CONFLICTED, "fix it"),
            NotReady(Reason.CONFLICTED, "fix it"),
        ),
        (
            ConditionResult("False", Reason.CONFLICTED, "fix it", stalled=True),
            NotReady(Reason.CONFLICTED, "fix it", stalled=True),
        ),
    ],
)
def test_further_conditions(
    field: str, verdict: ConditionResult | None, expected: NotReady | None
) -> None:
    """What is referred to must exist, and every proxy must serve it; both are optional."""
    assert evaluate(observed(**{field: verdict})) == expected


def test_a_service_scaled_to_zero_is_ready() -> None:
    """Scaled to zero, a service without a gateway is complete."""
    assert evaluate(observed(deployment=deployment(wanted=0, replicas=0))) is None
