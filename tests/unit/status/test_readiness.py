"""The checks behind Ready: what fails each, and that the first one that fails counts."""

from itertools import combinations
from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.status import readiness
from grpc_operator.status.observed import Cause, ConditionResult, Observed
from grpc_operator.status.readiness import CHECKS, NotReady, evaluate
from tests.unit.status import deployment, observed, pod, waiting

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
    ("Progressing", {"generation": 2}),
    ("FailedCreate", {"conditions": [REPLICA_FAILURE]}),
    ("ProgressDeadlineExceeded", {"conditions": [TOO_LATE]}),
    ("Progressing", {"availableReplicas": 0}),
    (
        "DescriptorNotFound",
        {"refs": ConditionResult("False", Reason.DESCRIPTOR_NOT_FOUND, "no ConfigMap")},
    ),
    ("Conflicted", {"programmed": ConditionResult("False", Reason.CONFLICTED, "somebody has it")}),
)
"""One fault for each check, in the order of the checks, with the reason it leads to."""


def faulty(*faults: dict[str, Any]) -> Observed:
    """Returns what is observed with all of these faults."""
    given: dict[str, Any] = {"conditions": []}
    for fault in faults:
        conditions = [*given["conditions"], *fault.get("conditions", ())]
        given |= fault | {"conditions": conditions}
    of_status = {
        name: given.pop(name) for name in ("generation", "availableReplicas") if name in given
    }
    return observed(deployment=deployment(*given.pop("conditions"), **of_status), **given)


def test_there_is_a_fault_for_each_check() -> None:
    """Each check fails for its own fault and for no other one."""
    for index, (reason, fault) in enumerate(FAULTS):
        found = [check(faulty(fault)) for check in CHECKS]
        assert [each.reason if each else None for each in found] == [
            reason if place == index else None for place in range(len(CHECKS))
        ]


@pytest.mark.parametrize(("first", "second"), [*combinations(range(len(FAULTS)), 2)])
def test_the_first_failed_check_counts(first: int, second: int) -> None:
    """Of two faults the earlier check reports: the later one may only follow from it."""
    (_, one), (_, other) = FAULTS[first], FAULTS[second]

    assert evaluate(faulty(one, other)) == evaluate(faulty(one))
    assert evaluate(faulty(one, other)) != evaluate(faulty(other))


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
    ("given", "fails"),
    [
        (None, True),
        (deployment(generation=2), True),
        ({"metadata": {"generation": 1}, "spec": {"replicas": 2}}, True),
        (deployment(observedGeneration=2), False),
    ],
)
def test_a_deployment_that_kubernetes_has_not_seen(given: Any, *, fails: bool) -> None:
    """Its status, if it has one, is about the past."""
    found = readiness.deployment_is_observed(observed(deployment=given))

    assert (found is not None) == fails
    assert found is None or (found.reason, found.stalled) == ("Progressing", False)


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


@pytest.mark.parametrize(
    ("condition", "pods", "expected"),
    [
        (
            TOO_LATE,
            [],
            NotReady(
                Reason.PROGRESS_DEADLINE_EXCEEDED,
                "The rollout exceeded its progress deadline. timed out progressing",
                stalled=True,
            ),
        ),
        (
            TOO_LATE,
            [CRASHING],
            NotReady(
                KubernetesReason("CrashLoopBackOff"),
                "The rollout exceeded its progress deadline."
                " Pod users-1: container grpc: back-off 10s",
                stalled=True,
            ),
        ),
        (TOO_LATE | {"status": "True", "reason": "NewReplicaSetAvailable"}, [CRASHING], None),
    ],
)
def test_a_rollout_that_is_late(condition: Any, pods: Any, expected: NotReady | None) -> None:
    """Stalled, for the reason that a pod gives if one does."""
    found = readiness.rollout_is_in_time(observed(deployment=deployment(condition), pods=pods))

    assert found == expected


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
