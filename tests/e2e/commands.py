"""Runs the commands of `status.urls` as they stand, on a machine outside the cluster."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.cluster import KUBECTL, ROOT, Cluster
from tests.waiting import HANG


class Shell:
    """A bash with `curl`, `kubectl` and `grpcurl`, as on the machine of a user.

    Args:
        cluster: The cluster.
        folder: An empty folder for its configuration.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        assert shutil.which("curl"), "curl is missing; on Debian or Ubuntu: apt-get install curl"
        grpcurl = folder / "grpcurl"
        grpcurl.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.e2e.grpcurl "$@"\n')
        grpcurl.chmod(0o755)
        (folder / "kubectl").symlink_to(KUBECTL)
        self._env = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(cluster.kubeconfig),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, command: str) -> subprocess.CompletedProcess[bytes]:
        """Runs a command line."""
        return subprocess.run(
            ["bash", "-c", command], env=self._env, capture_output=True, check=False, timeout=HANG
        )
