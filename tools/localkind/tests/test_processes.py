"""Pid files: whole or absent, and never a reason to signal another process."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localkind.processes import (
    Process,
    find,
    is_listening,
    is_running,
    kill,
    parse_stat,
    read_pid_file,
    start,
)
from localkind_command import eventually


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that must never be signalled."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def started(pid_file: Path) -> Process:
    """The process that a pid file names, once it is written."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process := read_pid_file(pid_file):
            return process
        time.sleep(0.01)
    pytest.fail(f"{pid_file} was not written")


def test_a_process_is_started_with_a_pid_file_and_a_log(tmp_path: Path) -> None:
    """In a session of its own: Ctrl-C in the terminal does not reach it."""
    pid_file, log = tmp_path / "a.pid", tmp_path / "logs/a.log"
    start(["sh", "-c", "echo said; exec sleep 600"], pid_file, log)
    process = started(pid_file)
    assert is_running(process)
    assert find(process.pid) == process
    assert os.getsid(process.pid) == process.pid
    eventually(lambda: log.read_text() == "said\n", "the log to hold what was said")
    assert kill([process]) == []
    assert not is_running(process)


def test_a_recycled_pid_is_not_killed(bystander: subprocess.Popen[bytes]) -> None:
    """The pid is the same, the start time is not."""
    actual = find(bystander.pid)
    assert actual is not None
    recycled = Process(actual.pid, actual.start_time - 1)
    assert not is_running(recycled)
    assert kill([recycled]) == []
    assert bystander.poll() is None


def test_a_pid_that_is_gone_is_no_error() -> None:
    """It may end between any two steps."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    gone = Process(process.pid, 1)
    assert not is_running(gone)
    assert kill([gone]) == []


def test_a_process_that_has_ended_but_is_not_reaped_does_not_run() -> None:
    """A zombie has a pid and a start time all the same."""
    with subprocess.Popen(["sleep", "600"]) as child:
        process = find(child.pid)
        assert process is not None
        assert kill([process]) == []
        assert Path(f"/proc/{child.pid}").exists()
        assert not is_running(process)


@pytest.mark.parametrize("content", ["", "12", "12 (a b", "12 (x) S 1 2 3"])
def test_half_a_pid_file_names_no_process(tmp_path: Path, content: str) -> None:
    """The machine may stop at any byte of it."""
    path = tmp_path / "half.pid"
    path.write_text(content)
    assert read_pid_file(path) is None
    assert read_pid_file(tmp_path / "absent.pid") is None


def test_any_process_name_is_read() -> None:
    """Blanks and brackets in the name must not shift the fields."""
    fields = " ".join(str(number) for number in range(4, 53))
    assert parse_stat(f"77 (a) b) (c) S {fields}") == Process(77, 22)


def test_a_listening_port_is_found(tmp_path: Path) -> None:
    """In the namespace of the process, whichever we are in."""
    code = "import socket,time; s=socket.create_server(('127.0.0.1',0)); "
    code += "print(s.getsockname()[1], flush=True); time.sleep(600)"
    log = tmp_path / "log"
    start(["python3", "-c", code], tmp_path / "p.pid", log)
    process = started(tmp_path / "p.pid")
    deadline = time.monotonic() + 10
    while not log.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    port = int(log.read_text())
    assert is_listening(process, port)
    kill([process])
    assert not is_listening(process, port)
