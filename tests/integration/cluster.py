"""The cluster of a test session: made, found ready, deleted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localkind import provider
from tests.waiting import HANG, wait_until

ROOT = Path(__file__).resolve().parents[2]
NAME = f"grpc-operator-it{os.environ.get('PYTEST_XDIST_WORKER', '')}"
"""Each worker of pytest-xdist has a cluster of its own."""
EXISTING = "GRPC_OPERATOR_TEST_KUBECONFIG"
"""Environment variable: kubeconfig of a control plane without nodes to use instead (debugging)."""

_KIND = str(ROOT / "dev" / "bin" / "kind")


@contextmanager
def running(directory: Path) -> Iterator[Path]:
    """Yields the kubeconfig of a control plane that nobody else uses.

    Raises:
        RuntimeError: It could not be made; has the output of kind.
    """
    existing = os.environ.get(EXISTING)
    if existing:
        yield Path(existing)
        return
    kubeconfig = directory / "kubeconfig"
    real = provider.real_kind() is not None
    try:
        _run(
            [_KIND, "create", "cluster", "--name", NAME, "--kubeconfig", str(kubeconfig)]
            + ([] if real else ["--control-plane-only"])
        )
        if real:
            _stop_scheduler(kubeconfig)
        yield kubeconfig
    finally:
        _run([_KIND, "delete", "cluster", "--name", NAME, "--kubeconfig", str(kubeconfig)])


def kubectl(kubeconfig: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs the kubectl of this environment."""
    program = Path(sys.executable).with_name("kubectl")
    return subprocess.run(
        [program, "--kubeconfig", kubeconfig, *words],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=check,
    )


def _stop_scheduler(kubeconfig: Path) -> None:
    """Keeps a real node's kubelet from touching the pods that ``pods`` plays with."""
    manifests = "/etc/kubernetes/manifests/kube-scheduler.yaml"
    _run(["docker", "exec", f"{NAME}-control-plane", "mv", manifests, "/root/"])
    words = ["-n", "kube-system", "get", "pods", "-l", "component=kube-scheduler", "-o", "name"]
    wait_until(lambda: not kubectl(kubeconfig, *words).stdout, "the scheduler has stopped")


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
