"""Processes of the example servers, as their README starts them."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grpc_service_kit.testing.processes import ServerProcess
from tests.clients.toolchain import ROOT


@contextmanager
def running(line: str, variables: Mapping[str, str], log: Path) -> Iterator[ServerProcess]:
    """Runs a server from a command line, which signals reach, on any free port; kills it after.

    Args:
        line: The command, below the repository.
        variables: Its environment.
        log: The file that it logs to.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(
            ("sh", "-euc", f"exec {line}"),
            cwd=ROOT,
            env={**variables, "PORT": "0"},
            stderr=file,
        )
    try:
        yield ServerProcess(process, log)
    finally:
        process.kill()
        process.wait()
