"""grpc-gateway: REST in front of gRPC by code that its plugin of protoc makes (``grpcgateway``)."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import go_programs
from bench.errors import BenchError
from bench.gateways import Gateway
from bench.processes import measured


@asynccontextmanager
async def running(upstream: int) -> AsyncIterator[Gateway]:
    """Runs it on one CPU, as Envoy has one worker.

    Args:
        upstream: Port on loopback.
    """
    process = await asyncio.create_subprocess_exec(
        *(go_programs.grpc_gateway(), f"127.0.0.1:{upstream}"),
        env={**os.environ, "GOMAXPROCS": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101 - requested above
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        if not line:
            raise BenchError("grpc-gateway did not start; see its message above")
        measured(process.pid)
        yield Gateway(process.pid, int(line))
    finally:
        process.kill()
        await process.wait()
