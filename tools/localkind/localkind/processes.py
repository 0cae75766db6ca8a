"""The long-running processes of a cluster: started with a pid file, verified before a signal."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localkind.commands import environment

# The pid file is written by the process itself, before it becomes the component, so that there is
# no moment at which a component runs without one. Its content is the line of /proc/PID/stat.
_LAUNCH = 'read -r stat < "/proc/$$/stat" && echo "$stat" > "$1" && shift && exec "$@"'

_STATE_FIELD = 3
_START_TIME_FIELD = 22
"""proc_pid_stat(5); with the pid it names a process of this boot uniquely."""

_LISTEN = "0A"
"""TCP_LISTEN of the kernel's include/net/tcp_states.h."""


@dataclass(frozen=True)
class Process:
    """A process of this boot; another one that gets the same pid later has another start time."""

    pid: int
    start_time: int


def start(command: Sequence[str | Path], pid_file: Path, log: Path) -> None:
    """Start a program that outlives localkind, in a session of its own, writing to `log`."""
    words = ["/bin/sh", "-c", _LAUNCH, "sh", str(pid_file), *map(str, command)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, env=environment(),
        )  # fmt: skip
    child.returncode = 0  # It is not waited for: it keeps running when localkind has ended.


def read_pid_file(path: Path) -> Process | None:
    """The process that a pid file names, or None when the file is absent or not yet whole."""
    with suppress(OSError, ValueError):
        return parse_stat(path.read_text())
    return None


def parse_stat(line: str) -> Process:
    """Read pid and start time from a line of /proc/PID/stat; the name may hold any character.

    Raises:
        ValueError: the line is not whole.
    """
    head, closing, tail = line.rpartition(")")
    fields = tail.split()
    index = _START_TIME_FIELD - _STATE_FIELD
    if not closing or len(fields) <= index:
        raise ValueError(f"not a line of /proc/PID/stat: {line!r}")
    return Process(int(head.split()[0]), int(fields[index]))


def is_running(process: Process) -> bool:
    """Whether this very process still runs; a zombie does not."""
    try:
        line = Path(f"/proc/{process.pid}/stat").read_text()
        return parse_stat(line) == process and line.rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, ValueError):
        return False


def find(pid: int) -> Process | None:
    """The process that has the pid now."""
    return read_pid_file(Path(f"/proc/{pid}/stat"))


def is_listening(process: Process, port: int) -> bool:
    """Whether a process listens on a TCP port in the network namespace of a process.

    Read from /proc/PID/net/tcp (proc_pid_net(5)): local address and state, in hexadecimal.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == _LISTEN and int(local.rpartition(":")[2], 16) == port:
                return True
    return False


def kill(processes: Iterable[Process], timeout: float = 10.0) -> list[Process]:
    """Kill the given processes at once and wait for their end.

    Each is held by a pidfd before it is verified, so the signal cannot reach another process that
    got the same pid (pidfd_open(2)).

    Returns:
        Those that have not ended within `timeout` seconds.
    """
    held = {}
    for process in processes:
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(process.pid)
            if is_running(process):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                held[descriptor] = process
            else:
                os.close(descriptor)
    try:
        return _wait(held, time.monotonic() + timeout)
    finally:
        for descriptor in held:
            os.close(descriptor)


def _wait(held: dict[int, Process], deadline: float) -> list[Process]:
    pending = dict(held)
    while pending and (left := deadline - time.monotonic()) > 0:
        for descriptor in select.select(list(pending), [], [], left)[0]:
            del pending[descriptor]
    return list(pending.values())
