"""`--control-plane-only`: an API server and its controllers, and nothing left of them."""

import os
import signal
from pathlib import Path

import pytest

from localkind import components, record
from localkind_command import eventually, info, kind, kubectl
from localkind_machine import snapshot

pytestmark = pytest.mark.cluster

NAME = "lk-test-plane"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "localhost/web:1"}]}
"""


def test_create_use_and_delete(tmp_path: Path) -> None:
    """Controllers and admission work, creating twice is refused, and nothing is left."""
    kubeconfig = tmp_path / "config"
    target = ("--name", NAME, "--kubeconfig", kubeconfig)
    kind("delete", "cluster", *target)
    before = snapshot(NAME)
    assert before.processes == []

    kind("create", "cluster", "--control-plane-only", *target)
    try:
        assert NAME in kind("get", "clusters").stdout.splitlines()
        refused = kind("create", "cluster", "--control-plane-only", *target, fails=True).stderr
        assert f'node(s) already exist for a cluster with the name "{NAME}"' in refused
        _check_api(kubeconfig)
    finally:
        kind("delete", "cluster", *target)
    assert snapshot(NAME) == before
    assert f"kind-{NAME}" not in kubeconfig.read_text()
    assert NAME not in kind("get", "clusters").stdout.splitlines()


def _check_api(kubeconfig: Path) -> None:
    """The controllers work, admission is on, and no node exists."""
    assert kubectl(kubeconfig, "config", "current-context").strip() == f"kind-{NAME}"
    kubectl(kubeconfig, "apply", "-f", "-", stdin=DEPLOYMENT)
    pods = ["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}"]
    eventually(lambda: kubectl(kubeconfig, *pods) == "Pending Pending", "two pending pods")
    kubectl(kubeconfig, "label", "ns", "default", "pod-security.kubernetes.io/enforce=restricted")
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kubectl(kubeconfig, "run", "bad", "--image=x", "--privileged")
    assert kubectl(kubeconfig, "get", "nodes", "-o", "name") == ""


def test_a_cluster_with_a_dead_component_is_broken_and_is_recreated(tmp_path: Path) -> None:
    """pytest-kind would use a listed cluster, so a broken one must not be listed."""
    target = ("--name", NAME, "--kubeconfig", tmp_path / "config")
    before = snapshot(NAME)
    kind("create", "cluster", "--control-plane-only", *target)
    try:
        found = record.load(NAME)
        assert found is not None
        first = info(NAME)["pids"]
        os.kill(first["kube-apiserver"], signal.SIGKILL)
        eventually(lambda: components.dead(found) == ["kube-apiserver"], "it is dead")
        listed = kind("get", "clusters")
        assert NAME not in listed.stdout.splitlines()
        assert f'cluster "{NAME}" is broken (kube-apiserver not running)' in listed.stderr
        recreated = kind("create", "cluster", "--control-plane-only", *target)
        assert f'Removing what is left of cluster "{NAME}"' in recreated.stderr
        assert not set(first.values()) & set(info(NAME)["pids"].values())
    finally:
        kind("delete", "cluster", *target)
    assert snapshot(NAME) == before


def test_deleting_what_does_not_exist_is_no_error(tmp_path: Path) -> None:
    """`delete cluster` is idempotent in kind."""
    kind("delete", "cluster", "--name", "lk-test-none", "--kubeconfig", tmp_path / "config")
