"""Running other programs: with their output kept for the error, and never outliving localkind."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from localkind.errors import CommandError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the packages' programs are; a plain user's PATH has no sbin."""

_LAST_LINES = 30


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the system's directories on PATH, and `extra`."""
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:{PATH}" if path else PATH, **(extra or {})}


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> str:
    """Run a program to its end and return its standard output.

    The kernel kills it when localkind dies (prctl(2), PR_SET_PDEATHSIG).

    Raises:
        CommandError: it could not be started, or its exit code is not 0.
    """
    words = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
    done = subprocess.run(
        words, env=environment(env), cwd=cwd, input=stdin, capture_output=True, text=True,
        stdin=subprocess.DEVNULL if stdin is None else None, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:]
        message = f'command "{" ".join(map(str, command))}" failed with exit code {done.returncode}'
        raise CommandError(message, "\n".join(lines))
    return done.stdout
