"""Processes that are measured, and those that help: their CPU time, memory and place."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.messages import Target

_NANO = 1e9
_CPUS = sorted(os.sched_getaffinity(0))
_MIB = 1024 * 1024


class BenchError(Exception):
    """A benchmark cannot go on; the message says why."""


def measured(pid: int) -> None:
    """Gives the threads of a process the last CPU for itself, if there is more than one."""
    _pin(pid, _CPUS[-1:])


def helping(pid: int) -> None:
    """Keeps the threads of a process off the CPU of what is measured."""
    _pin(pid, _CPUS[:-1] or _CPUS)


def _pin(pid: int, cpus: list[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cpus)


def cpu_seconds(pid: int) -> float:
    """Returns the user and system time of a process.

    The first number of schedstat (Documentation/scheduler/sched-stats.rst) is what utime and stime
    add up to, but in nanoseconds instead of ticks of 10 ms.
    """
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / _NANO


def rss_mib(pid: int) -> float:
    """Returns the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


@asynccontextmanager
async def upstream(host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Runs ``bench.upstream``; yields its port."""
    process = await _python("bench.upstream", host, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None  # noqa: S101 - requested above
    assert process.stdout is not None  # noqa: S101 - requested in _python
    try:
        helping(process.pid)
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        if not line:
            raise BenchError(f"the upstream did not start on {host}; see its message above")
        yield int(line)
    finally:
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True)
class Load:
    """Some calls of one kind."""

    protocol: str
    target: Target
    requests: int
    metadata: tuple[tuple[str, str], ...] = ()

    async def run(self, port: int) -> float:
        """Makes the calls through a gateway on loopback; returns the seconds it took.

        Raises:
            BenchError: An answer was not the right one.
        """
        target = self.target
        arguments = [str(port), self.protocol, str(self.requests)]
        arguments += [target.service, target.path, target.host]
        arguments += [f"{key}={value}" for key, value in self.metadata]
        process = await _python("bench.load", *arguments)
        helping(process.pid)
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        if process.returncode:
            raise BenchError("the load generator failed; see its message above")
        result: dict[str, Any] = json.loads(out)
        if result["failed"]:
            raise BenchError(
                f"{result['failed']} of {self.requests} {self.protocol} calls of {target} were not"
                " answered as expected"
            )
        return float(result["seconds"])


async def _python(module: str, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, **options
    )
