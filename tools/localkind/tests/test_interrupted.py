"""A localkind that is killed, at any stage, leaves nothing that the next one does not remove."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from localkind import paths
from localkind.record import RECORD_FILE
from localkind_command import eventually, info, kind, kind_process
from localkind_machine import snapshot

pytestmark = pytest.mark.cluster

NAME = "lk-test-kill"
RUN = paths.run_dir(NAME)
STAGES: dict[str, Callable[[], bool]] = {
    "recorded": (RUN / RECORD_FILE).exists,
    "namespace": lambda: os.path.ismount(RUN / "netns"),
    "control plane": (RUN / "kube-apiserver.pid").exists,
    "kubelet": (RUN / "kubelet.pid").exists,
    "pods": lambda: any(RUN.glob("containerd/io.containerd.runtime.v2.task/k8s.io/*/init.pid")),
}


@pytest.fixture
def target(tmp_path: Path) -> tuple[str | Path, ...]:
    """The options that name the cluster, of which nothing exists at first."""
    options = ("--name", NAME, "--kubeconfig", tmp_path / "config")
    kind("delete", "cluster", *options)
    return options


@pytest.mark.parametrize("stage", STAGES)
def test_killed_creation_is_removed_by_delete(stage: str, target: tuple[str | Path, ...]) -> None:
    """SIGKILL leaves no time to clean up: the next command must."""
    before = snapshot(NAME)
    with kind_process("create", "cluster", "--wait", "60s", *target) as process:
        eventually(STAGES[stage], stage)
        process.kill()
    assert NAME not in kind("get", "clusters").stdout.splitlines()
    kind("delete", "cluster", *target)
    assert snapshot(NAME) == before


def test_killed_creation_is_removed_by_create_and_killed_parts_by_delete(
    target: tuple[str | Path, ...],
) -> None:
    """No delete is needed first, and no part is needed to remove the rest."""
    before = snapshot(NAME)
    with kind_process("create", "cluster", "--wait", "60s", *target) as process:
        eventually(STAGES["pods"], "pods")
        process.kill()
    created = kind("create", "cluster", "--wait", "60s", *target)
    assert "its creation was interrupted" in created.stderr
    pids = info(NAME)["pids"]
    for component in ("containerd", "kubelet", "etcd"):
        os.kill(pids[component], signal.SIGKILL)
    kind("delete", "cluster", *target)
    assert snapshot(NAME) == before


def test_an_interrupted_creation_removes_itself(target: tuple[str | Path, ...]) -> None:
    """SIGTERM, like Ctrl-C, leaves time to clean up."""
    before = snapshot(NAME)
    with kind_process("create", "cluster", *target) as process:
        eventually(STAGES["control plane"], "control plane")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
    assert snapshot(NAME) == before


def test_a_killed_delete_is_finished_by_the_next(target: tuple[str | Path, ...]) -> None:
    """The record is removed last."""
    before = snapshot(NAME)
    kind("create", "cluster", "--control-plane-only", *target)
    with kind_process("delete", "cluster", *target) as process:
        eventually(lambda: not (RUN / "netns").exists() or not os.path.ismount(RUN / "netns"), "on")
        process.kill()
    kind("delete", "cluster", *target)
    assert snapshot(NAME) == before
