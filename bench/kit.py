"""The service kit: a server with everything on, over the least that answers the same call.

Servers are processes of their own that share one CPU; the load generator has another. They are
called in turn, kit, bare, uvloop, sync, kit, ..., each with the same bytes. The kit's runs as in
production: on uvloop, with request ids, logs, metrics, a token to verify, a deadline, a rule
to check and reflection; tracing is off, as by default. All of them have bytecode on disk, as in
the images of the services.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt

from bench.errors import BenchError
from bench.figures import Figure, of_rounds
from bench.messages import Target
from bench.processes import Load, cpu_seconds, measured, rss_mib

Say = Callable[[str], None]

_AUDIENCE = "users"
_SIDES = ("kit", "bare", "uvloop", "sync")
_MICRO = 1e6


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    calls: int
    starts: int


@dataclass
class _Server:
    """A running server and what its rounds gave."""

    process: asyncio.subprocess.Process
    port: int
    ready: float
    """Seconds from the start of the process until it served."""
    rates: list[float] = field(default_factory=list)
    """Calls in a second."""
    costs: list[float] = field(default_factory=list)
    """Microseconds of CPU time for each call."""

    async def round(self, load: Load) -> None:
        """Answer one load."""
        before = cpu_seconds(self.process.pid)
        seconds = await load.run(self.port)
        self.rates.append(load.requests / seconds)
        used = cpu_seconds(self.process.pid) - before
        self.costs.append(used / load.requests * _MICRO)


async def kit(size: Size, say: Say) -> list[Figure]:
    """Measures calls, memory and start of a server of the kit."""
    with tempfile.TemporaryDirectory() as directory:
        environment, metadata = _configured(Path(directory))
        starts = await _starts(size, environment, say)
        async with AsyncExitStack() as stack:
            servers = {
                side: await stack.enter_async_context(_server(side, environment)) for side in _SIDES
            }
            await _rounds(servers, size, metadata, say)
            rss = {side: rss_mib(server.process.pid) for side, server in servers.items()}
    return [*_of_calls(servers), *_of_processes(rss, starts)]


def _configured(directory: Path) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Returns the environment of the kit's server, and what its clients send."""
    key = secrets.token_hex(32)
    path = directory / "key"
    path.write_text(key, encoding="ascii")
    claims = {"aud": _AUDIENCE, "sub": "bench", "exp": int(time.time()) + 3600}
    token = jwt.encode(claims, key, "HS256")
    environment = {
        "AUTH_SHARED_KEY_FILE": str(path),
        "AUTH_AUDIENCE": _AUDIENCE,
        "INSTANCE_METADATA": "off",
        "METRICS_PORT": "0",
        "PORT": "0",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
    }
    metadata = (
        ("authorization", f"Bearer {token}"),
        ("grpc-timeout", "5S"),
        ("user-agent", "grpc-bench/1"),
        ("x-request-id", "7f9c2ba4-e88f-4b1a-9f5a-6b0f7c1d2e3f"),
    )
    return environment, metadata


async def _starts(size: Size, environment: dict[str, str], say: Say) -> dict[str, list[float]]:
    say(f"kit: {size.starts} starts of each server")
    found: dict[str, list[float]] = {side: [] for side in _SIDES}
    for number in range(size.starts + 1):
        for side in _SIDES:
            async with _server(side, environment) as server:
                if number:  # The first one has compiled the code.
                    found[side].append(server.ready)
    return found


async def _rounds(
    servers: dict[str, _Server], size: Size, metadata: tuple[tuple[str, str], ...], say: Say
) -> None:
    load = Load("gRPC", Target(), size.calls, metadata)
    for number in range(size.rounds + 1):
        for server in servers.values():
            await server.round(load)
        costs = ", ".join(f"{side} {server.costs[-1]:.0f} us" for side, server in servers.items())
        say(f"kit: round {number} of {size.rounds}{'' if number else ' (warm-up)'}: {costs}")
    for server in servers.values():
        del server.rates[0], server.costs[0]


def _of_calls(servers: dict[str, _Server]) -> list[Figure]:
    ours, bare, uvloop, sync = (servers[side] for side in _SIDES)
    return [
        _ratio("kit / bare grpc.aio, CPU per call", (ours.costs, bare.costs, "us"), target=1.05),
        _ratio("kit / bare grpc.aio on uvloop, CPU per call", (ours.costs, uvloop.costs, "us")),
        _ratio("bare grpc.aio on uvloop / sync grpcio, CPU", (uvloop.costs, sync.costs, "us")),
        # The time for a call, so that smaller is better as everywhere: 0.90x the calls is 1.11x.
        _ratio("bare grpc.aio / kit, calls per second", (bare.rates, ours.rates, "/s"), 1 / 0.9),
        _ratio("sync grpcio / kit, calls per second", (sync.rates, ours.rates, "/s"), 1 / 0.95),
    ]


def _of_processes(rss: dict[str, float], starts: dict[str, list[float]]) -> list[Figure]:
    others = f"bare {rss['bare']:.0f}, sync {rss['sync']:.0f}"
    bare = of_rounds("bare", starts["bare"], "s")
    return [
        Figure("kit, RSS after the calls", rss["kit"], "MiB", target=70, note=others),
        of_rounds(
            "kit, start to ready", starts["kit"], "s", target=1.0, note=f"bare {bare.value:.2f}"
        ),
    ]


def _ratio(
    name: str, sides: tuple[list[float], list[float], str], target: float | None = None
) -> Figure:
    over, under, unit = sides
    values = [a / b for a, b in zip(over, under, strict=True)]
    medians = [of_rounds("", side, unit).value for side in (over, under)]
    note = f"{medians[0]:.0f} / {medians[1]:.0f} {unit}"
    return of_rounds(name, values, "x", target=target, note=note)


@asynccontextmanager
async def _server(side: str, environment: dict[str, str]) -> AsyncIterator[_Server]:
    with tempfile.TemporaryFile() as log:
        begin = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.kit_server", side),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert process.stdin is not None  # noqa: S101 - requested above
        assert process.stdout is not None  # noqa: S101 - requested above
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            ready = time.perf_counter() - begin
            if not line:
                log.seek(0)
                raise BenchError(f"the {side} server did not start:\n{log.read().decode()}")
            measured(process.pid)
            yield _Server(process, int(line), ready)
        finally:
            process.stdin.close()
            await process.wait()
