"""Which of the two runs clusters on this machine: real kind, or localkind.

A program of its own, `python -m localkind.provider`, it prints the path of real kind, or nothing
when localkind is to be used; it imports little, because a script named `kind` that chooses between
the two runs it for every command.
"""

import os
import shutil
import subprocess
from pathlib import Path

_DOCKER_SECONDS = 20.0
_SCRIPT_BYTES = 4096
"""More than a script that starts localkind is long."""


def real_kind() -> str | None:
    """The path of kind if it is installed and a Docker engine answers; None for localkind."""
    path = _find_kind()
    return path if path and docker_answers() else None


def _find_kind() -> str | None:
    """The first `kind` on PATH that is not a script around localkind."""
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = shutil.which("kind", path=directory) if directory else None
        if path and not _runs_localkind(Path(path)):
            return path
    return None


def _runs_localkind(program: Path) -> bool:
    with program.open("rb") as file:
        start = file.read(_SCRIPT_BYTES)
    return start.startswith(b"#!") and b"localkind" in start


def docker_answers() -> bool:
    """Whether a Docker engine answers, not only its client exists."""
    words = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_DOCKER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


if __name__ == "__main__":
    print(real_kind() or "")
