"""What a pod says about why it does not run."""

from typing import Any

import pytest

from grpc_operator.api.reasons import KubernetesReason
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems import answering, problem
from tests.unit.status import pod, waiting

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}
READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [{"metadata": {"name": "users-1"}}],
        [pod()],
        [pod(conditions=None, containerStatuses=None)],
        [pod(containerStatuses=[{"name": "grpc", "state": {"running": {}}}])],
        [pod(containerStatuses=[{"name": "grpc"}])],
        [pod(containerStatuses=waiting("ContainerCreating"))],
        [pod(containerStatuses=waiting("PodInitializing"))],
        [pod(conditions=[UNSCHEDULABLE | {"status": "True"}])],
    ],
)
def test_pods_that_run_or_start_have_no_problem(pods: Any) -> None:
    """Nor have those about which nothing is known yet."""
    assert problem(pods) is None


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (
            {"conditions": [UNSCHEDULABLE]},
            "Unschedulable",
            "Pod users-1: 0/3 nodes are available",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False"}]},
            "Unschedulable",
            "Pod users-1: cannot be scheduled",
        ),
        (
            {"conditions": [UNSCHEDULABLE | {"reason": "SchedulingGated", "message": "gated"}]},
            "SchedulingGated",
            "Pod users-1: gated",
        ),
        (
            {"containerStatuses": waiting("ImagePullBackOff", "no such image")},
            "ImagePullBackOff",
            "Pod users-1: container grpc: no such image",
        ),
        (
            {"containerStatuses": waiting("CreateContainerError")},
            "CreateContainerError",
            "Pod users-1: container grpc: the container does not start",
        ),
        (
            {"initContainerStatuses": waiting("ErrImagePull", "init")},
            "ErrImagePull",
            "Pod users-1: container grpc: init",
        ),
        (
            {
                "initContainerStatuses": waiting("ErrImagePull", "init"),
                "containerStatuses": waiting("PodInitializing"),
            },
            "ErrImagePull",
            "Pod users-1: container grpc: init",
        ),
        (
            {
                "conditions": [UNSCHEDULABLE],
                "containerStatuses": waiting("ErrImagePull", "no such image"),
            },
            "Unschedulable",
            "Pod users-1: 0/3 nodes are available",
        ),
        (
            {
                "containerStatuses": [
                    {"name": "sidecar", "state": {"running": {}}},
                    *waiting("ErrImagePull", "no such image"),
                ]
            },
            "ErrImagePull",
            "Pod users-1: container grpc: no such image",
        ),
    ],
)
def test_problems(status: dict[str, Any], reason: str, message: str) -> None:
    """The scheduler's message comes first, then that of the first waiting container."""
    assert problem([pod(**status)]) == Cause(KubernetesReason(reason), message)


@pytest.mark.parametrize(
    ("terminated", "message"),
    [
        ({"exitCode": 1}, "back-off; last terminated: Error (exit code 1)"),
        (
            {"exitCode": 137, "reason": "OOMKilled"},
            "back-off; last terminated: OOMKilled (exit code 137)",
        ),
        (
            {"exitCode": 2, "reason": "Error", "message": "line one\n  line two\n"},
            "back-off; last terminated: Error (exit code 2): line one line two",
        ),
        (
            {"exitCode": 2, "message": "a" * 300 + "b" * 300},
            f"back-off; last terminated: Error (exit code 2): {'b' * 300}",
        ),
        (None, "back-off"),
    ],
)
def test_a_container_that_ended_says_how(terminated: Any, message: str) -> None:
    """With the end of its termination message, on one line."""
    state = {"terminated": terminated} if terminated else {}
    statuses = waiting("CrashLoopBackOff", "back-off", lastState=state)

    expected = Cause(
        KubernetesReason("CrashLoopBackOff"), f"Pod users-1: container grpc: {message}"
    )
    assert problem([pod(containerStatuses=statuses)]) == expected


def test_the_newest_pod_with_a_problem_counts() -> None:
    """Older pods may have problems that the new spec has fixed; pods that go do not count."""
    old = pod("old", created="2026-01-01T00:00:00Z", containerStatuses=waiting("CrashLoopBackOff"))
    new = pod("new", created="2026-01-02T00:00:00Z", containerStatuses=waiting("ErrImagePull"))
    fine = pod("fine", created="2026-01-03T00:00:00Z")
    going = pod(
        "going",
        created="2026-01-04T00:00:00Z",
        deleted=True,
        containerStatuses=waiting("ErrImagePull"),
    )

    for pods in ([old, new, fine, going], [going, fine, new, old]):
        found = problem(pods)
        assert found is not None
        assert found.message.startswith("Pod new: ")


@pytest.mark.parametrize(
    ("given", "answers"),
    [
        (pod(podIP="10.0.0.1", conditions=[READY]), True),
        (pod(podIP="10.0.0.1", conditions=[{"type": "Initialized", "status": "True"}]), False),
        (pod(podIP="10.0.0.1", conditions=[READY | {"status": "False"}]), False),
        (pod(podIP="10.0.0.1"), False),
        (pod(conditions=[READY]), False),
        (pod(podIP="10.0.0.1", conditions=[READY], deleted=True), False),
        ({"metadata": {"name": "users-1"}}, False),
    ],
)
def test_pods_that_can_be_called(given: Any, *, answers: bool) -> None:
    """Ready, with an address, and not about to go."""
    assert answering([given]) == ([given] if answers else [])
