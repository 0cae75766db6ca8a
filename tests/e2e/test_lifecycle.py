"""The life of a GrpcService on a real node: install, create, update, scale, break, fix, uninstall.

The tests of this file build on each other and run in the order they are written.
"""

from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.conftest import NEXT_USER_SERVICE
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

SYSTEM = "grpc-operator-system"
EXAMPLE = ROOT / "examples" / "users"
CHART = str(ROOT / "charts" / "grpc-operator")


def example() -> dict[str, Any]:
    """Returns the GrpcService of the README."""
    manifest: dict[str, Any] = yaml.safe_load((EXAMPLE / "grpcservice.yaml").read_text())
    return manifest


def call_all_methods(cluster: Cluster) -> str:
    """Runs the example client as a Job and returns what it printed."""
    cluster.kubectl("delete", "job", "users-client", "--ignore-not-found")
    cluster.kubectl("apply", "-f", str(EXAMPLE / "client-job.yaml"))

    def ended() -> bool:
        status = cluster.get("job", "users-client")["status"]
        return bool(status.get("succeeded") or status.get("failed"))

    wait_until(ended, "the client ends")
    output = cluster.kubectl("logs", "job/users-client")
    assert cluster.get("job", "users-client")["status"].get("succeeded"), output
    return output


def staying_pods(cluster: Cluster) -> set[str]:
    """Returns the uids of the service's pods, without those that are draining."""
    pods = cluster.get("pods", "-l", "grpc.infera.dev/service=users")["items"]
    return {pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def test_the_chart_installs_into_a_restricted_namespace(cluster: Cluster) -> None:
    """Two operator pods run where the restricted Pod Security Standard is enforced."""
    release.install(cluster)

    deployment = cluster.get("-n", SYSTEM, "deployment", "grpc-operator")
    assert deployment["status"]["readyReplicas"] == 2
    cluster.helm("test", "grpc-operator", "--namespace", SYSTEM, "--timeout", "180s")


def test_the_first_service_becomes_ready_and_answers(cluster: Cluster) -> None:
    """All seven methods answer, and each of the two pods answers at least 30% of 200 calls."""
    cluster.apply(example())
    cluster.wait_ready("users")

    columns = cluster.kubectl("get", "gsvc", "users", "--no-headers").split()
    output = call_all_methods(cluster)

    assert columns[:4] == ["users", "True", "Ready", "2/2"]
    for method in ("Create", "Get", "Update", "BatchCreate", "Sync", "List", "Delete"):
        assert any(
            line.startswith(f"{method}User") and " OK " in line for line in output.splitlines()
        ), output
    shares = [int(line.split()[2]) for line in output.splitlines() if " answered " in line]
    assert len(shares) == 2
    assert min(shares) >= 60


def test_an_update_of_the_image_rolls_without_a_gap(cluster: Cluster) -> None:
    """`kubectl wait` returns when exactly the new pods run, and two were always available."""
    available: list[int] = []
    manifest = example()
    manifest["spec"]["image"] = NEXT_USER_SERVICE.tag
    cluster.apply(manifest)

    def rolled() -> bool:
        status = cluster.get("deployment", "users")["status"]
        available.append(status.get("availableReplicas", 0))
        ready = cluster.condition("users", "Ready")
        generation = cluster.get("gsvc", "users")["metadata"]["generation"]
        return bool(ready["status"] == "True" and ready["observedGeneration"] == generation)

    wait_until(rolled, "the rollout ends")
    status = cluster.get("deployment", "users")["status"]

    assert status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == 2
    assert min(available) >= 2
    deployment = cluster.get("deployment", "users")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == NEXT_USER_SERVICE.tag
    events = cluster.kubectl("get", "events", "--field-selector", "reason=RolloutComplete")
    assert "grpcservice/users" in events


def test_wait_is_exact(cluster: Cluster) -> None:
    """`kubectl wait` started right after an update never returns for the old generation."""
    manifest = example()
    manifest["spec"]["env"].append({"name": "LOG_LEVEL", "value": "WARNING"})
    cluster.apply(manifest)

    cluster.wait_ready("users")

    deployment = cluster.get("deployment", "users")
    assert "WARNING" in str(deployment["spec"]["template"])
    assert deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
    assert deployment["status"]["updatedReplicas"] == deployment["status"]["replicas"] == 2


def test_scaling_by_kubectl_scale(cluster: Cluster) -> None:
    """The scale subresource drives the Deployment, and the budget follows."""
    cluster.kubectl("scale", "gsvc/users", "--replicas=3")
    cluster.wait_ready("users")
    wait_until(lambda: cluster.get("gsvc", "users")["status"]["readySummary"] == "3/3", "3/3")
    cluster.kubectl("scale", "gsvc/users", "--replicas=1")
    wait_until(lambda: cluster.get("gsvc", "users")["status"]["readySummary"] == "1/1", "1/1")

    assert cluster.get("pdb")["items"] == []
    cluster.kubectl("scale", "gsvc/users", "--replicas=2")
    cluster.wait_ready("users")
    assert len(cluster.get("pdb")["items"]) == 1


def test_a_broken_image_is_reported_and_the_old_pods_go_on(cluster: Cluster) -> None:
    """Ready=False names the kubelet's reason, Available stays True, and the old pods answer."""
    manifest = example()
    manifest["spec"]["image"] = "localhost/user-service:no-such-tag"
    manifest["spec"]["imagePullPolicy"] = "Never"
    cluster.apply(manifest)

    def pull_failure() -> dict[str, Any]:
        ready = cluster.condition("users", "Ready")
        return ready if ready["reason"] == "ErrImageNeverPull" else {}

    ready = wait_until(pull_failure, "the reason is reported")

    assert ready["status"] == "False"
    assert "localhost/user-service:no-such-tag" in ready["message"]
    assert cluster.condition("users", "Reconciling")["status"] == "True"
    assert cluster.condition("users", "Available")["status"] == "True"
    assert "ErrImageNeverPull" in cluster.kubectl("describe", "gsvc", "users")
    call_all_methods(cluster)


def test_fixing_the_image_makes_it_ready_again(cluster: Cluster) -> None:
    """Nothing but the fix is needed."""
    cluster.apply(example())
    cluster.wait_ready("users")

    assert cluster.condition("users", "Ready")["reason"] == "Ready"


def test_a_crashing_operator_is_replaced(cluster: Cluster) -> None:
    """The standby takes over and repairs after the holder's sudden death."""
    holder = cluster.get("-n", SYSTEM, "lease", "grpc-operator")["spec"]["holderIdentity"]
    cluster.kubectl("-n", SYSTEM, "delete", "pod", holder, "--grace-period=0", "--force")
    cluster.kubectl("delete", "service", "users")

    wait_until(
        lambda: len(cluster.get("services", "-l", "grpc.infera.dev/service=users")["items"]) == 2,
        "the Service is back",
    )


def test_uninstalling_leaves_the_workloads_serving(cluster: Cluster) -> None:
    """Without the operator everything that runs goes on; deleting needs no operator either."""
    before = staying_pods(cluster)
    cluster.helm("uninstall", "grpc-operator", "--namespace", SYSTEM, "--wait")

    call_all_methods(cluster)
    assert len(before) == 2
    assert staying_pods(cluster) == before

    cluster.kubectl("delete", "gsvc", "users")
    left = "deployment,service,configmap,serviceaccount,pdb"
    wait_until(
        lambda: not cluster.get(left, "-l", "grpc.infera.dev/service=users")["items"],
        "every object of the service is gone",
    )


def test_the_crd_was_kept(cluster: Cluster) -> None:
    """Uninstalling the chart never deletes anybody's GrpcServices."""
    names = [crd["metadata"]["name"] for crd in cluster.get("crd")["items"]]

    assert "grpcservices.grpc.infera.dev" in names
