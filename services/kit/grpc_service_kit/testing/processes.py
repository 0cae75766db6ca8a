"""Services as processes of their own: `python -m MODULE`."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from grpc_service_kit.testing.polling import TIMEOUT, wait_until

_SERVING = re.compile(r"serving on port (\d+)")


@dataclass(frozen=True)
class ServerProcess:
    """A process that logs to a file: a pipe that nobody reads would stop it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def lines(self) -> list[str]:
        """The log so far."""
        return self.log.read_text().splitlines()

    @property
    def port(self) -> int:
        """The port it serves on, once its log says so; RuntimeError when it ended instead."""
        wait_until(lambda: _SERVING.search(self.log.read_text()) or self.process.poll() is not None)
        found = _SERVING.search(self.log.read_text())
        if found is None:
            raise RuntimeError(f"the server ended at once:\n{self.log.read_text()}")
        return int(found[1])

    @property
    def target(self) -> str:
        """The address it serves on, once its log says so."""
        return f"127.0.0.1:{self.port}"

    def terminate(self) -> None:
        """Send SIGTERM, as the kubelet does."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(TIMEOUT)


@contextmanager
def server_processes(module: str, directory: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start processes that log into a directory and are killed at the end.

    The arguments are those of the command line; keywords are environment variables. The process
    finds what this one can import. It takes free ports unless it is told others.
    """
    with ExitStack() as stack:
        numbers = count()

        def start(*arguments: str, **variables: str) -> ServerProcess:
            log = directory / f"server-{next(numbers)}.log"
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment(**{"PORT": "0", "METRICS_PORT": "0", **variables}),
                cwd=directory,
                stderr=stack.enter_context(log.open("wb")),
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return ServerProcess(process, log)

        yield start


def environment(**variables: str) -> dict[str, str]:
    """Return what a process gets: PATH, what can be imported here, and the given variables."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables}
