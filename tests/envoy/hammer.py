"""A client that calls one method over and over, and remembers every answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from tests.envoy.calls import grpc_call
from tests.waiting import until

OK = 0
NOT_FOUND = 12
"""UNIMPLEMENTED, which is what Envoy makes of its own 404 for a gRPC call."""

_MOST = 20_000
"""Calls after which it stops by itself."""


@dataclass
class Hammer:
    """What has been answered so far.

    Attributes:
        codes: gRPC status codes, each run of the same code once; with several callers a later
            call can be answered before an earlier one.
        counts: Calls by status code.
    """

    codes: list[int] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)

    async def answered(self, code: int) -> bool:
        """Returns whether the latest answer was this one."""
        return bool(self.codes) and self.codes[-1] == code

    async def another(self) -> None:
        """Waits until one more call was answered."""
        before = self.counts.total()

        async def more() -> bool:
            return self.counts.total() > before

        await until(more, "another call is answered")

    async def run(self, channel: grpc.aio.Channel, method: str) -> None:
        """Calls until cancelled, at most 20,000 times."""
        for _ in range(_MOST):
            code = (await grpc_call(channel, method, b"")).code
            self.counts[code] += 1
            if not self.codes or self.codes[-1] != code:
                self.codes.append(code)


@asynccontextmanager
async def hammering(port: int, method: str, callers: int = 1) -> AsyncIterator[Hammer]:
    """Calls a method from before the body until after it."""
    hammer = Hammer()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        tasks = [asyncio.create_task(hammer.run(channel, method)) for _ in range(callers)]
        try:
            await hammer.another()
            yield hammer
            await hammer.another()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    assert not errors
