"""Calls that go on while a test does something: the load generator and Echo servers."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from grpc_service_kit.testing.postgres import free_port
from tests.waiting import HANG, wait_until

_SECONDS = 900


@contextmanager
def echo_server(package: str, instance: str) -> Iterator[int]:
    """Runs an Echo server that names itself in its answers; yields its port."""
    port = free_port()
    given = {"ECHO_PACKAGE": package, "ECHO_PORT": str(port), "ECHO_INSTANCE": instance}
    command = [sys.executable, "-m", "tests.load.echo_server"]
    process = subprocess.Popen(command, env={**os.environ, **given}, stdout=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=HANG)
        yield port
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Callers:
    """The load generator at work."""

    process: "subprocess.Popen[str]"
    log: Path

    def calls(self) -> int:
        """Returns how many calls have ended."""
        lines = self.log.read_text().splitlines()
        return sum(map(int, re.findall(r": (\d+) calls", lines[-1]))) if lines else 0

    def wait_for(self, more: int) -> None:
        """Waits for some more calls."""
        enough = self.calls() + more
        wait_until(lambda: self.calls() >= enough, f"{more} more calls have ended", seconds=300)

    def stop(self) -> dict[str, dict[str, int]]:
        """Ends them; returns the statuses of each load by its name."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=HANG)
        return {load["name"]: load["statuses"] for load in json.loads(output)["loads"]}


@contextmanager
def callers(port: int, loads: list[dict[str, Any]], directory: Path) -> Iterator[Callers]:
    """Makes calls to a port of loopback (tests/load/plan.py) until they are stopped."""
    target = f"127.0.0.1:{port}"
    plan = {"target": target, "loads": loads, "hold": True, "seconds": _SECONDS, "progress": 0.2}
    log = directory / "callers.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load", json.dumps(plan)],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        yield Callers(process, log)
    finally:
        process.kill()
        process.wait()
