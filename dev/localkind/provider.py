"""Which of the two runs clusters on this machine: real kind, or localkind.

A program of its own, `python -m localkind.provider`, it prints the path of real kind, or nothing
when localkind is to be used; it imports little, because `dev/bin/kind` always runs it.
"""

import os
import shutil
import subprocess
from pathlib import Path

_DOCKER_SECONDS = 20.0


def real_kind() -> str | None:
    """The path of kind, when there is one and a Docker engine answers; else use localkind."""
    path = _find_kind()
    return path if path and docker_answers() else None


def _find_kind() -> str | None:
    """The first `kind` on PATH that is not this repository's own `dev/bin/kind`."""
    own = Path(__file__).resolve().parents[1] / "bin"
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [d for d in directories if d and Path(d).resolve() != own]
    return shutil.which("kind", path=os.pathsep.join(others))


def docker_answers() -> bool:
    """Whether a Docker engine, not only its client, is there."""
    words = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_DOCKER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


if __name__ == "__main__":
    print(real_kind() or "")
