"""``grpcop`` reads and steers services of a real API server, with the operator at work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.resources import GRPC_SERVICES, Manifest
from tests.integration.operator_process import OperatorProcess
from tests.integration.pods import Status, ready, waiting
from tests.integration.space import Space
from tests.unit.cli import Ran, run
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

Grpcop = Callable[..., Ran]
BROKEN = "user-service:broken"
ROLLOUT = {"strategy": "Manual"}


@pytest.fixture
def grpcop(cluster: Path, space: Space) -> Grpcop:
    """Runs a command in the namespace of the test."""

    def run_(*arguments: str) -> Ran:
        return run(*arguments, "--kubeconfig", str(cluster), "-n", space.name)

    return run_


def kubelet_without_that_image(pod: Manifest) -> Status | None:
    """Every image exists but one."""
    if pod["spec"]["containers"][0]["image"] == BROKEN:
        return waiting("ImagePullBackOff", f'Back-off pulling image "{BROKEN}"')(pod)
    return ready(pod)


def test_a_service_from_healthy_to_broken(
    operator: OperatorProcess, space: Space, grpcop: Grpcop
) -> None:
    """Exit codes, the tree down to pods, and what to do next."""
    space.kubelet.answer = kubelet_without_that_image
    missing = grpcop("status", "users")
    assert missing.code == 2
    assert f'"users" does not exist in the namespace {space.name}' in missing.err

    space.apply()
    space.wait_ready()
    assert grpcop("status").code == 0
    tree = grpcop("tree", "users")
    assert tree.code == 0
    for part in ("GrpcService/users", "Deployment/users ", "ReplicaSet/users-", "Pod/users-"):
        assert part in tree.out
    assert tree.out.count("Pod/") == 2
    page = json.loads(grpcop("describe", "users", "-o", "json").out)
    assert page["healthy"] is True
    assert [each["ready"] for each in page["pods"]] == [True, True]
    assert page["notKnown"] == []

    space.apply(image=BROKEN)
    space.wait_condition("Ready", "False")
    wait_until(lambda: "ImagePullBackOff" in grpcop("status", "users").out, "it is reported")
    broken = grpcop("status", "users")
    assert broken.code == 1
    assert "Correct spec.image" in broken.out
    assert "ImagePullBackOff" in grpcop("tree", "users").out
    assert BROKEN in grpcop("describe", "users").out
    (only,) = json.loads(grpcop("status", "--unhealthy", "-o", "json").out)
    assert only["problems"][0]["reason"] == "ImagePullBackOff"


def test_events_of_all_that_a_service_owns(
    operator: OperatorProcess, space: Space, grpcop: Grpcop
) -> None:
    """Those of the controllers of Kubernetes too."""
    space.apply("others")
    space.apply()
    space.wait_ready()

    def events() -> str:
        return grpcop("events", "users").out

    wait_until(lambda: events().count("SuccessfulCreate") == 2, "the ReplicaSet said it")
    assert "ScalingReplicaSet" in events()
    assert "others" not in events()


def test_a_rollout_is_steered(operator: OperatorProcess, space: Space, grpcop: Grpcop) -> None:
    """Each command once, twice, and when it has no effect."""
    space.apply(image="user-service:0.1.0", rollout=ROLLOUT)
    space.wait_ready()
    refused = grpcop("rollout", "promote", "users")
    assert refused.code == 2
    assert "promote has no effect now" in refused.err

    space.apply(image="user-service:0.2.0", rollout=ROLLOUT)
    candidate = wait_until(lambda: _rollout(space).get("candidate"), "the rollout has begun")
    wait_until(lambda: _rollout(space).get("phase") == "Paused", "it waits for a command")
    assert "Paused" in grpcop("rollout", "status", "users").out

    assert grpcop("rollout", "pause", "users").code == 0
    assert "nothing to do" in grpcop("rollout", "pause", "users").out
    assert _rollout(space)["phase"] == "Paused"
    assert grpcop("rollout", "resume", "users").code == 0
    assert _managers(space) == {"grpcop"}

    assert grpcop("rollout", "promote", "users").code == 0
    ended = grpcop("rollout", "status", "users", "--watch", "--timeout", "60")
    assert ended.code == 0, ended.err
    assert "complete" in ended.out
    assert "nothing to do" in grpcop("rollout", "promote", "users").out
    history = grpcop("rollout", "history", "users")
    assert history.out.splitlines()[1].split()[:2] == [str(candidate), "Stable"]

    assert grpcop("rollout", "undo", "users").code == 0
    ended = grpcop("rollout", "status", "users", "--watch", "--timeout", "60")
    assert (ended.code, "RolledBack" in ended.out) == (1, True)


def test_an_annotation_of_others_is_not_overwritten(
    operator: OperatorProcess, space: Space, grpcop: Grpcop
) -> None:
    """Unless it is forced."""
    space.apply(image="user-service:0.1.0", rollout=ROLLOUT)
    space.wait_ready()
    space.apply(image="user-service:0.2.0", rollout=ROLLOUT)
    candidate = wait_until(lambda: _rollout(space).get("candidate"), "the rollout has begun")
    given = {labels.ROLLOUT_COMMAND: f"pause {candidate}"}
    space.edit(GRPC_SERVICES, "users", {"metadata": {"annotations": given}})
    wait_until(lambda: _rollout(space).get("phase") == "Paused", "the rollout is paused")

    refused = grpcop("rollout", "abort", "users")
    assert refused.code == 2
    assert "somebody else has set the annotation" in refused.err
    assert "--force" in refused.err
    assert grpcop("rollout", "abort", "users", "--force").code == 0
    wait_until(lambda: _rollout(space).get("phase") == "Failed", "it has failed")
    assert grpcop("rollout", "resume", "users").code == 0
    wait_until(lambda: _rollout(space).get("phase") != "Failed", "it is tried once more")


def _rollout(space: Space) -> dict[str, Any]:
    found: dict[str, Any] = space.live()["status"].get("rollout") or {}
    return found


def _managers(space: Space) -> set[str]:
    """Returns who owns the annotation."""
    name = f"f:{labels.ROLLOUT_COMMAND}"
    return {
        str(each["manager"])
        for each in space.live()["metadata"]["managedFields"]
        if name in each.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {})
    }
