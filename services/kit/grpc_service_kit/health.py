"""Health: grpc.health.v1 for each service, which follows what the service needs.

`""` is the process itself: SERVING until it drains, so that a liveness probe never restarts a
server because its database is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from grpc_health.v1 import health, health_pb2

from grpc_service_kit.errors import Unavailable

Check = Callable[[], Awaitable[object]]
"""Raises when what the service needs is away, such as `SELECT 1` on its database."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

logger = logging.getLogger(__name__)


class Health(health.aio.HealthServicer):  # type: ignore[misc]
    """The health service of one server."""

    def __init__(self, period: float) -> None:
        """Check what is watched every `period` seconds; a check may take as long."""
        super().__init__()
        self._period = period
        self._checks: dict[str, Check | None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()

    def watch(self, service: str, check: Check | None) -> None:
        """Have a service: SERVING as long as its check passes, or always when it has none."""
        self._checks[service] = check

    async def start(self) -> None:
        """Check every service once, then go on in the background."""
        await asyncio.gather(
            *(self._checked(service, check) for service, check in self._checks.items())
        )
        self._tasks = [
            asyncio.create_task(self._follow(service, check))
            for service, check in self._checks.items()
            if check is not None
        ]

    async def drain(self) -> None:
        """Say NOT_SERVING for everything from now on."""
        self._stop_checks()
        await self.enter_graceful_shutdown()

    def end(self) -> None:
        """End the calls of Watch, which clients would keep open until the last moment."""
        self._stop_checks()
        self._ended.set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:  # noqa: N802
        """Send the status and every change of it, until the server ends."""
        watching = asyncio.ensure_future(super().Watch(request, context))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((watching, ended), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                await watching  # It has failed: gRPC's watches for ever.
                return
        finally:
            watching.cancel()
            ended.cancel()
        raise Unavailable("the server ends")

    def _stop_checks(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _follow(self, service: str, check: Check) -> None:
        while True:
            await asyncio.sleep(self._period)
            await self._checked(service, check)

    async def _checked(self, service: str, check: Check | None) -> None:
        problem: Exception | None = None
        if check is not None:
            try:
                async with asyncio.timeout(max(self._period, 1.0)):
                    await check()
            except Exception as error:  # noqa: BLE001 whatever a check raises means: away
                problem = error
        await self._tell(service, problem)

    async def _tell(self, service: str, problem: Exception | None) -> None:
        before = self._server_status.get(service)
        now = _SERVING if problem is None else _NOT_SERVING
        if now == before:
            return
        await self.set(service, now)
        if problem is not None:
            reason = f"{type(problem).__name__}: {problem}"
            logger.warning("%s is NOT_SERVING: its check failed: %s", service, reason)
        elif before is not None:
            logger.info("%s is SERVING again", service)
