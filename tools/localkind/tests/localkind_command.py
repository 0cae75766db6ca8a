"""Runs localkind, as a person does, and asks the cluster questions with kubectl."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOCALKIND = Path(sys.executable).with_name("localkind")
KUBECTL = Path(sys.executable).with_name("kubectl")


def kind(*words: str | Path, fails: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command and check that it succeeds, or that it fails as kind's commands do."""
    done = subprocess.run([LOCALKIND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if fails else 0), f"{words}:\n{done.stdout}\n{done.stderr}"
    return done


def kind_process(*words: str | Path) -> subprocess.Popen[bytes]:
    """Start a command that is going to be killed."""
    return subprocess.Popen([LOCALKIND, *words], stderr=subprocess.DEVNULL)


def kubectl(kubeconfig: Path, *words: str, stdin: str | None = None) -> str:
    """Run kubectl; its standard output."""
    done = subprocess.run(
        [KUBECTL, "--kubeconfig", kubeconfig, *words],
        capture_output=True, text=True, input=stdin, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"kubectl {words}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def info(name: str) -> dict[str, Any]:
    """What `info` prints about a cluster."""
    values: dict[str, Any] = json.loads(kind("info", "--name", name).stdout)
    return values


def eventually(check: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until `check` holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)
