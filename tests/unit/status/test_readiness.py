"""The chain of checks: what each objects to, and that the first objection counts."""

from itertools import combinations
from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.status import readiness
from grpc_operator.status.observed import Observed, Verdict, Waiting
from grpc_operator.status.readiness import CHAIN, Objection, Outlook, evaluate
from tests.unit.status import deployment, observed, pod, waiting

PROGRESSING, STALLED = Outlook.PROGRESSING, Outlook.STALLED

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


def test_nothing_objects_to_what_is_ready() -> None:
    """Every desired pod runs, and no gateway is asked for."""
    assert evaluate(observed()) is None
    assert [check(observed()) for check in CHAIN] == [None] * len(CHAIN)


FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("InvalidSpec", {"invalid": InvalidSpecError([Problem("spec.image", "wrong")])}),
    ("NameConflict", {"waiting": Waiting(Reason.NAME_CONFLICT, "somebody has it")}),
    ("Progressing", {"generation": 2}),
    ("FailedCreate", {"conditions": [REPLICA_FAILURE]}),
    ("ProgressDeadlineExceeded", {"conditions": [TOO_LATE]}),
    ("Progressing", {"availableReplicas": 0}),
    ("DescriptorNotFound", {"refs": Verdict("False", Reason.DESCRIPTOR_NOT_FOUND, "no ConfigMap")}),
    ("Conflicted", {"programmed": Verdict("False", Reason.CONFLICTED, "somebody has it")}),
)
"""One fault for each check, in the order of the chain, with the reason it leads to."""


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
    """Each check objects to its own fault and to no other one."""
    for index, (reason, fault) in enumerate(FAULTS):
        found = [check(faulty(fault)) for check in CHAIN]
        assert [each.reason if each else None for each in found] == [
            reason if place == index else None for place in range(len(CHAIN))
        ]


@pytest.mark.parametrize(("first", "second"), [*combinations(range(len(FAULTS)), 2)])
def test_the_first_objection_counts(first: int, second: int) -> None:
    """Of two faults the earlier check reports: the later one may only follow from it."""
    (_, one), (_, other) = FAULTS[first], FAULTS[second]

    assert evaluate(faulty(one, other)) == evaluate(faulty(one))
    assert evaluate(faulty(one, other)) != evaluate(faulty(other))


def test_an_invalid_spec_is_stalled_with_every_problem() -> None:
    """Nothing changes before somebody changes the spec."""
    problems = [Problem("spec.image", "wrong"), Problem("spec.port", "used")]
    error = InvalidSpecError(problems, reason=Reason.REJECTED)
    expected = "2 problems: (1) spec.image: wrong; (2) spec.port: used"

    assert evaluate(observed(invalid=error)) == Objection(Reason.REJECTED, expected, STALLED)


def test_what_keeps_the_operator_waiting_is_progress() -> None:
    """It goes on by itself when the reason is gone."""
    found = evaluate(observed(waiting=Waiting(Reason.NAME_CONFLICT, "somebody has it")))

    assert found == Objection(Reason.NAME_CONFLICT, "somebody has it", PROGRESSING)


@pytest.mark.parametrize(
    ("given", "objects"),
    [
        (None, True),
        (deployment(generation=2), True),
        ({"metadata": {"generation": 1}, "spec": {"replicas": 2}}, True),
        (deployment(observedGeneration=2), False),
    ],
)
def test_a_deployment_that_kubernetes_has_not_seen(given: Any, *, objects: bool) -> None:
    """Its status, if it has one, is about the past."""
    found = readiness.deployment_is_seen(observed(deployment=given))

    assert (found is not None) == objects
    assert found is None or (found.reason, found.outlook) == ("Progressing", PROGRESSING)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            REPLICA_FAILURE,
            Objection(KubernetesReason("FailedCreate"), "exceeded quota", PROGRESSING),
        ),
        (REPLICA_FAILURE | {"status": "False"}, None),
        ({"type": "ReplicaFailure", "status": "True"}, Objection(Reason.REPLICA_FAILURE, "")),
    ],
)
def test_pods_that_cannot_be_created(condition: Any, expected: Objection | None) -> None:
    """Quota and admission speak through the Deployment's condition."""
    found = readiness.pods_can_be_created(observed(deployment=deployment(condition)))

    assert found == expected


@pytest.mark.parametrize(
    ("condition", "pods", "expected"),
    [
        (
            TOO_LATE,
            [],
            Objection(
                Reason.PROGRESS_DEADLINE_EXCEEDED,
                "The rollout made no progress in time. timed out progressing",
                STALLED,
            ),
        ),
        (
            TOO_LATE,
            [CRASHING],
            Objection(
                KubernetesReason("CrashLoopBackOff"),
                "The rollout made no progress in time. Pod users-1: container grpc: back-off 10s",
                STALLED,
            ),
        ),
        (TOO_LATE | {"status": "True", "reason": "NewReplicaSetAvailable"}, [CRASHING], None),
    ],
)
def test_a_rollout_that_is_late(condition: Any, pods: Any, expected: Objection | None) -> None:
    """Stalled, for the reason that a pod gives if one does."""
    found = readiness.rollout_is_in_time(observed(deployment=deployment(condition), pods=pods))

    assert found == expected


@pytest.mark.parametrize(
    ("wanted", "updated", "available", "existing", "message"),
    [
        (2, 2, 2, 2, None),
        (0, 0, 0, 0, None),
        (2, 0, 0, 0, "0 of 2 pods run the newest spec and are ready"),
        (2, 2, 1, 2, "1 of 2 pods run the newest spec and are ready"),
        (2, 1, 1, 1, "1 of 2 pods run the newest spec and are ready"),
        (2, 0, 2, 2, "0 of 2 pods run the newest spec and are ready, 2 older to go"),
        (2, 1, 3, 3, "1 of 2 pods run the newest spec and are ready, 2 older to go"),
        (2, 1, 1, 3, "0 of 2 pods run the newest spec and are ready, 2 older to go"),
        (2, 2, 3, 3, "2 of 2 pods run the newest spec and are ready, 1 older to go"),
        (1, 3, 3, 3, "1 of 1 pods run the newest spec and are ready, 2 to go"),
        (0, 1, 1, 1, "0 of 0 pods run the newest spec and are ready, 1 to go"),
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

    assert found == (Objection(Reason.PROGRESSING, message, PROGRESSING) if message else None)


def test_a_pod_says_why_it_is_not_ready() -> None:
    """Its reason is that of the condition; the rollout may still get over it."""
    given = observed(deployment=deployment(availableReplicas=1), pods=[CRASHING])

    assert readiness.pods_are_ready(given) == Objection(
        KubernetesReason("CrashLoopBackOff"),
        "1 of 2 pods run the newest spec and are ready. Pod users-1: container grpc: back-off 10s",
        PROGRESSING,
    )


def test_a_pod_with_a_problem_that_is_not_wanted_does_not_matter() -> None:
    """Enough others are ready."""
    assert readiness.pods_are_ready(observed(pods=[CRASHING])) is None


@pytest.mark.parametrize("field", ["refs", "programmed"])
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, None),
        (Verdict("True", Reason.PROGRAMMED, "all is well"), None),
        (
            Verdict("Unknown", Reason.PENDING, "wait"),
            Objection(Reason.PENDING, "wait", PROGRESSING),
        ),
        (
            Verdict("False", Reason.CONFLICTED, "fix it"),
            Objection(Reason.CONFLICTED, "fix it", PROGRESSING),
        ),
        (
            Verdict("False", Reason.CONFLICTED, "fix it", stalled=True),
            Objection(Reason.CONFLICTED, "fix it", STALLED),
        ),
    ],
)
def test_further_conditions(
    field: str, verdict: Verdict | None, expected: Objection | None
) -> None:
    """What is referred to must exist, and every proxy must serve it; both are optional."""
    assert evaluate(observed(**{field: verdict})) == expected


def test_a_service_scaled_to_zero_is_ready() -> None:
    """Scaled to zero, a service without a gateway is complete."""
    assert evaluate(observed(deployment=deployment(wanted=0, replicas=0))) is None
