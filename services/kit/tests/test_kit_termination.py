"""How a process ends: at a signal while it starts, with its drain, and without a log."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from grpc_service_kit.testing.polling import TIMEOUT
from grpc_service_kit.testing.postgres import free_port
from kit_servers import KINDS, ask, channel_to, eventually
from test_kit_process import TESTS, started

SIGNALS = [signal.SIGTERM, signal.SIGINT]
SILENT = """
import time

class Exporter:
    def export(self, spans):
        time.sleep(3600)

    def shutdown(self):
        time.sleep(3600)
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("how", ["wait", "block"])
async def test_a_signal_ends_a_process_that_is_starting(
    number: signal.Signals, how: str, tmp_path: Path
) -> None:
    async with started(tmp_path, STARTING=how) as process:
        await eventually(lambda: "starting" in process.stderr.read_text())
        process.process.send_signal(number)
        assert await process.end() == 128 + number

    assert len(process.log) == 1  # Not a word of an error, and it never served.


@pytest.mark.parametrize("program", ["import grpc_service_kit", "kit_process.py"])
async def test_the_first_process_of_a_container_ends_at_a_signal(
    program: str, tmp_path: Path
) -> None:
    """Linux drops signals to process 1 that it does not handle."""
    arguments = [str(TESTS / program)]
    if program.startswith("import"):
        code = f"{program}; import sys, time; print('starting', file=sys.stderr); time.sleep(3600)"
        arguments = ["-c", code]
    async with first_process(tmp_path, *arguments) as (process, log):
        await eventually(lambda: "starting" in log.read_text())
        os.kill(child_of(process.pid), signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), TIMEOUT) == 128 + signal.SIGTERM


def child_of(pid: int) -> int:
    """Return the only child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@asynccontextmanager
async def first_process(
    directory: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """Run Python as process 1 of a PID namespace; yield its parent, which passes on its code."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    # A machine without namespaces cannot prove it: an error, not a test that is left out.
    subprocess.run([*unshare, "true"], check=True)  # noqa: ASYNC221 at once
    command = (*unshare, sys.executable, *arguments)
    log = directory / "log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command, env=_variables(PORT="0", STARTING="wait"), stderr=stderr
        )
    try:
        yield process, log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def silent_collector(tmp_path: Path) -> dict[str, str]:
    """Install an exporter that hangs, as one does whose collector never answers."""
    directory = tmp_path / "packages"
    metadata = directory / "silent-1.dist-info"
    metadata.mkdir(parents=True)
    (directory / "silent.py").write_text(SILENT)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: silent\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[opentelemetry_traces_exporter]\nsilent = silent:Exporter\n"
    )
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), str(directory)])
    return {"PYTHONPATH": path, "OTEL_TRACES_EXPORTER": "silent"}


async def test_a_collector_that_does_not_answer_does_not_delay_the_end(
    silent_collector: dict[str, str], tmp_path: Path
) -> None:
    async with started(tmp_path, GRPC_DRAIN_SECONDS="4", **silent_collector) as process:
        await process.serving()
        async with channel_to(process) as channel:
            await ask(channel, "UnaryUnary")
        process.process.send_signal(signal.SIGTERM)
        assert await process.end() == 0

    messages = [line["message"] for line in process.log]
    assert any(text.startswith("the collector has not taken the last spans") for text in messages)
    assert messages[-1] == "stopped"


@pytest.mark.parametrize("how", ["wait", "hang"])
async def test_whatever_hangs_the_process_ends_with_its_drain(how: str, tmp_path: Path) -> None:
    async with started(tmp_path, GRPC_DRAIN_SECONDS="1", ENDING=how) as process:
        await process.serving()
        process.process.send_signal(signal.SIGTERM)
        assert await process.end() == 1

    assert process.log[-1]["message"].startswith("still running 1s after the signal; ending now: ")


@pytest.mark.parametrize("standard_error", ["", "2>/dev/full"])
async def test_a_log_that_cannot_be_written_fails_no_call(
    standard_error: str, tmp_path: Path
) -> None:
    """A pipe without a reader, and a full disk."""
    reader, writer = os.pipe()
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'exec "$@" {standard_error}', "sh"),
        *(sys.executable, str(TESTS / "kit_process.py")),
        env=_variables(PORT=str(port), GRPC_DRAIN_SECONDS="1"),
        stderr=writer,
    )
    os.close(writer)
    os.close(reader)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for kind in (*KINDS, *KINDS):
                assert await ask(channel, kind, wait_for_ready=True, timeout=TIMEOUT)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _variables(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    usual = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "METRICS_PORT": "off", "COLOUR": "red"}
    return {**usual, **more}
