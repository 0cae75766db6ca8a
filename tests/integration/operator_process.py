"""One operator process: started, asked, stopped, killed, paused."""

import json
import multiprocessing
import os
import re
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grpc_operator.__main__ import main
from grpc_operator.xds.server import AdsServer
from tests.waiting import HANG, wait_until

_CONTEXT = multiprocessing.get_context("forkserver")
# Importing kopf and kubernetes costs seconds of CPU; a process forked after it starts at once.
_CONTEXT.set_forkserver_preload(["__main__", "grpc_operator.app.operator", __name__])

Predicate = Callable[[], bool]


def kubeconfig(path: Path, server: str) -> Path:
    """Writes a kubeconfig without credentials for a server (the proxy)."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
        "current-context": "proxy",
    }
    path.write_text(json.dumps(config))
    return path


def environment(**settings: str) -> dict[str, str]:
    """Returns this process's environment without traces of a cluster, and with settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "KUBECONFIG" and not name.startswith(("KUBERNETES_", "GRPC_OPERATOR_", "POD_"))
    }
    return kept | settings


REPLICAS = "replicas.test"
"""The DNS name of the replicas whose environment has ``TEST_REPLICAS``, their addresses."""


def _as_replica(address: str, addresses: list[str]) -> None:
    """Gives this process an address of loopback of its own, as a pod has one, and such peers."""
    AdsServer.start.__defaults__ = (address, ())
    resolve = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> list[Any]:
        names = addresses if host == REPLICAS else [host]
        return [entry for name in names for entry in resolve(name, *arguments, **options)]

    socket.getaddrinfo = resolved


def _main(variables: dict[str, str], log: str) -> None:
    """Does what ``python -m grpc_operator`` does, in a forked process."""
    os.environ.clear()
    os.environ.update(variables)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    if "TEST_REPLICAS" in variables:
        _as_replica(variables["POD_IP"], variables["TEST_REPLICAS"].split(","))
    sys.exit(main(["--kubeconfig", variables["KUBECONFIG"]]))


class OperatorProcess:
    """An operator, running since construction.

    Args:
        variables: Its whole environment; GRPC_OPERATOR_HTTP_PORT is the port to ask, KUBECONFIG
            the file of its argument.
        log: File its output goes to.
    """

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        self.log = log
        log.touch()
        self._url = f"http://127.0.0.1:{variables['GRPC_OPERATOR_HTTP_PORT']}"
        self._process = _CONTEXT.Process(target=_main, args=(variables, str(log)), daemon=True)
        self._process.start()

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; ``None`` while it runs."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process.pid is not None
        return self._process.pid

    def readyz(self) -> tuple[int, str]:
        """Returns status and text of /readyz; status 0 when nobody answers."""
        return self._ask("/readyz")

    def metrics_text(self) -> str:
        """Returns what /metrics says."""
        return self._ask("/metrics")[1]

    def metric(self, name: str) -> float:
        """Returns a metric; ``name`` includes its labels, if it has any."""
        match = re.search(rf"^{re.escape(name)} (\S+)$", self.metrics_text(), re.MULTILINE)
        assert match, f"no metric {name}"
        return float(match[1])

    def wait_ready(self) -> None:
        """Waits for /readyz."""
        ready = self._alive_and(lambda: self.readyz()[0] == 200)
        wait_until(ready, "/readyz is 200")

    def wait_lease(self) -> None:
        """Waits until this operator is the one that writes."""
        self.wait_ready()
        wait_until(
            self._alive_and(lambda: self.metric("grpc_operator_lease_held") == 1),
            "the operator holds its Lease",
        )

    def stop(self) -> int:
        """Ends it by SIGTERM and returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Ends it at once."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: int) -> None:
        """Sends a signal; SIGSTOP and SIGCONT pause and resume it."""
        if self._process.pid is not None and self.exit_code is None:
            os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Waits for its end and returns the exit code."""
        self._process.join(HANG)
        assert self.exit_code is not None, "the operator still runs"
        return self.exit_code

    def _alive_and(self, predicate: Predicate) -> Predicate:
        def check() -> bool:
            if self.exit_code is not None:
                raise RuntimeError(f"the operator ended with {self.exit_code}:\n{self.tail()}")
            return predicate()

        return check

    def tail(self, lines: int = 80) -> str:
        """Returns the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self._url + path, timeout=HANG) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)
