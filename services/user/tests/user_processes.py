"""`python -m user_service` as a process of its own, and polling with a deadline."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SERVICE = Path(__file__).resolve().parents[1]
PATIENCE = 20
"""Seconds after which something that should have happened counts as a failure."""


@dataclass(frozen=True)
class ServerProcess:
    """`python -m user_service`, logging to a file: a pipe that nobody reads would stop it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def lines(self) -> list[str]:
        """The log so far."""
        return self.log.read_text().splitlines()

    @property
    def target(self) -> str:
        """The address it serves on, once its log says so."""
        serving = re.compile(r"serving on port (\d+)")
        wait_until(lambda: serving.search(self.log.read_text()) or self.process.poll() is not None)
        found = serving.search(self.log.read_text())
        assert found, f"the server ended at once:\n{self.log.read_text()}"
        return f"127.0.0.1:{found[1]}"

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(PATIENCE)


def environment(**variables: str) -> dict[str, str]:
    """Return what a server process gets: the import path and the given variables."""
    path = os.pathsep.join([str(SERVICE), str(SERVICE / "gen")])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables}


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll a condition; fail when it does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.02)
