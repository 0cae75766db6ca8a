"""GS110: the server ends at once, with the calls that it is answering."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError

_FIX = (
    "On SIGTERM, report NOT_SERVING, stop accepting calls, and let those that run finish before the"
    " process ends."
)


async def check(server: Server) -> Iterator[Finding]:
    """Ends the process as the kubelet does, and reads what a client is told meanwhile."""
    pid = server.target.pid
    if pid is None:
        raise NotCheckedError("needs --disruptive and --pid: it ends the server with SIGTERM")
    call = server.stream("/grpc.health.v1.Health/Watch")
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        text = f"needs grpc.health.v1.Health/Watch, which ended with {error.code().name}"
        raise NotCheckedError(text) from error
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError as error:
        raise NotCheckedError(f"process {pid} cannot be ended: {error.strerror}") from error
    if await asyncio.wait_for(_said_so(call), server.target.timeout * 0.8):
        return iter(())
    text = "ends at SIGTERM without NOT_SERVING: clients lose the calls that run"
    return iter([server.finding("GS110", text, _FIX)])


async def _said_so(call: Any) -> bool:
    """Returns whether the health changed before the call ended."""
    try:
        while (message := await call.read()) is not grpc.aio.EOF:
            if HealthCheckResponse.FromString(message).status == HealthCheckResponse.NOT_SERVING:
                return True
    except grpc.aio.AioRpcError:
        pass
    return False
