"""Clients of another service at the same gateway: none of their calls may fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import grpc

from tests.envoy.calls import grpc_call
from tests.waiting import HANG, until

_PAUSE = 0.005


@dataclass
class Bystanders:
    """What was answered so far: calls by protocol and outcome."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> dict[str, int]:
        """Calls that were not answered as without an attack."""
        return {name: count for name, count in self.counts.items() if not name.endswith(": OK")}

    async def another(self, calls: int = 5) -> None:
        """Waits until every protocol has been answered some more times, or failed."""
        before = dict(self.counts)

        async def more() -> bool:
            done = [self.counts[name] - before.get(name, 0) for name in ("gRPC: OK", "REST: OK")]
            return min(done) >= calls or bool(self.failed)

        await until(more, f"{calls} more calls of each protocol are answered")


@asynccontextmanager
async def bystanders(port: int, host: str, method: str, path: str) -> AsyncIterator[Bystanders]:
    """Calls a service by gRPC and by REST, from before the body until after it.

    Args:
        port: Of the gateway.
        host: Of the service.
        method: A unary method that takes an empty message.
        path: Of a REST request by GET.
    """
    made = Bystanders()
    tasks = [
        asyncio.create_task(_grpc(made, port, host, method)),
        asyncio.create_task(_rest(made, port, host, path)),
    ]
    try:
        await made.another()
        yield made
        await made.another()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _grpc(made: Bystanders, port: int, host: str, method: str) -> None:
    options = [("grpc.default_authority", host)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        while True:
            reply = await grpc_call(channel, method, b"", timeout=HANG)
            made.counts[
                f"gRPC: {'OK' if reply.code == 0 else f'{reply.code} {reply.message}'}"
            ] += 1
            await asyncio.sleep(_PAUSE)


async def _rest(made: Bystanders, port: int, host: str, path: str) -> None:
    url, timeout = f"http://127.0.0.1:{port}{path}", aiohttp.ClientTimeout(total=HANG)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            try:
                async with session.get(url, headers={"host": host}) as reply:
                    await reply.read()
                    outcome = "OK" if reply.status == 200 else str(reply.status)
            except aiohttp.ClientError as error:
                outcome = repr(error)
            made.counts[f"REST: {outcome}"] += 1
            await asyncio.sleep(_PAUSE)
