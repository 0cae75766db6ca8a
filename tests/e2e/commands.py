"""Runs the commands of `status.urls` as they stand, on a machine outside the cluster."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.cluster import KUBECTL, ROOT, Cluster
from tests.waiting import HANG


class Shell:
    """A bash in which `curl`, `kubectl` and `grpcurl` reach the cluster through forwarded ports.

    Args:
        cluster: The cluster.
        folder: An empty folder for its configuration.
        forwards: Addresses (HOST:PORT) in the cluster, and the ports on loopback for them.
    """

    def __init__(self, cluster: Cluster, folder: Path, forwards: dict[str, int]) -> None:
        assert shutil.which("curl"), "curl is missing; on Debian or Ubuntu: apt-get install curl"
        # What curl reads first decides; a --connect-to on the command line comes after it.
        lines = [f'connect-to = "{name}:127.0.0.1:{port}"' for name, port in forwards.items()]
        lines += [f'connect-to = "::127.0.0.1:{port}"' for port in list(forwards.values())[:1]]
        (folder / ".curlrc").write_text("\n".join(lines) + "\n")
        grpcurl = folder / "grpcurl"
        grpcurl.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.e2e.grpcurl "$@"\n')
        grpcurl.chmod(0o755)
        (folder / "kubectl").symlink_to(KUBECTL)
        targets = {name: f"127.0.0.1:{port}" for name, port in forwards.items()}
        self._env = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "CURL_HOME": str(folder),
            "HOME": str(folder),
            "KUBECONFIG": str(cluster.kubeconfig),
            "FORWARDS": json.dumps(targets),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, command: str) -> subprocess.CompletedProcess[bytes]:
        """Runs a command line."""
        return subprocess.run(
            ["bash", "-c", command], env=self._env, capture_output=True, check=False, timeout=HANG
        )
