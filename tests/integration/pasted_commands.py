"""Runs the commands of `status.urls` as they stand, where nothing needs to be forwarded.

Here, listeners and servers are on loopback already, at the ports that would be forwarded to it.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.integration.cluster import ROOT
from tests.integration.operator_process import kubeconfig
from tests.waiting import HANG


def run(command: str, api_server: str, folder: Path) -> str:
    """Runs a command in a bash with curl, kubectl and grpcurl; returns what it printed.

    Args:
        command: What is pasted.
        api_server: URL of an API server that asks for no credentials.
        folder: For the programs.
    """
    kubectl = Path(sys.executable).with_name("kubectl")
    config = kubeconfig(folder / "pasted-kubeconfig", api_server)
    words = shlex.join((str(kubectl), "--kubeconfig", str(config)))
    programs = {
        "kubectl": f'case "$*" in *port-forward*) exec sleep 60 ;; esac\nexec {words} "$@"',
        "grpcurl": f'exec {sys.executable} -m tests.e2e.grpcurl "$@"',
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    given = {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", command],
        env=os.environ | given, capture_output=True, check=False, timeout=HANG,
    )  # fmt: skip
    return f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
