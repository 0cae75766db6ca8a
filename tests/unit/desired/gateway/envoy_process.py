"""The real Envoy as a process, started from the files that a proxy's pod would have."""

import http.client
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from envoy import _bin

from grpc_service_kit.testing.postgres import free_port
from tests.waiting import HANG, wait_until

ENVOY = Path(str(_bin.__file__)).with_name("envoy")


@dataclass(frozen=True)
class Envoy:
    """A running Envoy."""

    process: "subprocess.Popen[bytes]"
    admin: int
    status: int

    def get(self, port: int, path: str, method: str = "GET") -> tuple[int, str]:
        """Returns status and body of an HTTP request."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def until_ready(self) -> None:
        """Waits until the status port says that it is ready."""

        def ready() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError("Envoy has ended")
            with suppress(OSError):
                return self.get(self.status, "/ready")[0] == 200
            return False

        wait_until(ready, "Envoy is ready")


@contextmanager
def running(bootstrap: dict[str, Any], folder: Path, *options: str) -> Iterator[Envoy]:
    """Runs Envoy on free ports of loopback with this bootstrap, which is changed for it."""
    admin, status = free_port(), free_port()
    _move(bootstrap, {19000: admin, 19003: status})
    file = folder / "bootstrap.yaml"
    file.write_text(yaml.safe_dump(bootstrap))
    command = [str(ENVOY), "-c", str(file), "--disable-hot-restart", "--concurrency", "1"]
    command += ["--service-node", "test", "--service-cluster", "edge/default"]
    process = subprocess.Popen([*command, "--log-level", "error", *options], env=dict(os.environ))
    try:
        yield Envoy(process, admin, status)
    finally:
        process.kill()
        process.wait()


def _move(value: Any, ports: dict[int, int]) -> None:
    """Replaces ports, and listens on loopback only."""
    if isinstance(value, dict):
        if "port_value" in value:
            value["port_value"] = ports.get(value["port_value"], value["port_value"])
            value["address"] = "127.0.0.1" if value["address"] == "0.0.0.0" else value["address"]  # noqa: S104 - is replaced
        for child in value.values():
            _move(child, ports)
    elif isinstance(value, list):
        for child in value:
            _move(child, ports)
