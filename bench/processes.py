"""Processes that are measured, and those that help: their CPU time, memory and place."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import go_programs, messages
from bench.errors import BenchError
from bench.messages import Target

CONNECTIONS = 4
STREAMS = 16
"""Calls in flight on each connection."""

_NANO = 1e9
_CPUS = sorted(os.sched_getaffinity(0))
_MIB = 1024 * 1024


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
    """Runs the upstream of ``traffic``, which answers every call with the same user.

    Yields:
        Its port.
    """
    process = await _traffic("upstream", {"Host": host, **messages.answers()})
    assert process.stdin is not None  # noqa: S101 - requested in _traffic
    assert process.stdout is not None  # noqa: S101 - requested in _traffic
    try:
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
        call = messages.call(self.protocol, self.target, dict(self.metadata))
        plan = {
            "Address": f"127.0.0.1:{port}",
            "Head": call.head,
            "Body": call.body,
            "Requests": self.requests,
            "Connections": CONNECTIONS,
            "Streams": STREAMS,
        }
        process = await _traffic("load", plan)
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        if process.returncode:
            raise BenchError("the load generator failed; see its message above")
        result: dict[str, Any] = json.loads(out)
        wrong = self.wrong(result)
        if wrong:
            raise BenchError(
                f"{wrong} of {self.requests} {self.protocol} calls of {self.target} were not"
                " answered as expected"
            )
        return float(result["Seconds"])

    def wrong(self, result: Mapping[str, Any]) -> int:
        """Returns how many calls were not answered as expected.

        Args:
            result: What the load generator printed: equal answers are counted together.
        """
        wrong = int(result["Lost"])
        for answer in result["Answers"] or ():
            blocks = [base64.b64decode(block) for block in answer["Blocks"] or ()]
            body = base64.b64decode(answer["Body"] or "")
            if not messages.is_right(self.protocol, blocks, body):
                wrong += answer["Count"]
        return wrong


async def _traffic(role: str, plan: Mapping[str, Any]) -> asyncio.subprocess.Process:
    """Runs ``traffic``; bytes are base64 in its JSON."""
    process = await asyncio.create_subprocess_exec(
        *(go_programs.traffic(), role),
        env={**os.environ, "GOMAXPROCS": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    helping(process.pid)
    assert process.stdin is not None  # noqa: S101 - requested above
    text = {
        key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for key, value in plan.items()
    }
    process.stdin.write(json.dumps(text).encode())
    await process.stdin.drain()
    return process
