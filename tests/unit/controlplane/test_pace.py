"""Builds give way to others, and others to builds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from grpc_operator.controlplane import pace as pace_module
from grpc_operator.controlplane.pace import Pace
from grpc_operator.engine.queue import Queue
from tests.waiting import HANG

Build = Callable[[], Awaitable[None]]


@asynccontextmanager
async def _building(pace: Pace, build: Build) -> AsyncIterator[None]:
    async def run() -> None:
        async for _ in pace.builds():
            pace.taken()
            await build()

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()


async def test_who_gives_way_comes_after_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the build enqueues as well is handed out once."""
    monkeypatch.setattr(pace_module, "GIVING_WAY", HANG)
    pace, got = Pace(), []
    queue = Queue[str](before=pace.give_way)

    async def build() -> None:
        await asyncio.sleep(0.01)
        got.append("built")
        queue.add("key")

    async with _building(pace, build):
        pace.want()
        queue.add("key")
        got.append(await queue.get())
        queue.done("key")
    assert got == ["built", "key"]
    assert queue.depth == 0


async def test_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor at all when there is nothing to build, or between two builds."""
    monkeypatch.setattr(pace_module, "GIVING_WAY", 0.01)
    pace, go = Pace(), asyncio.Event()
    await asyncio.wait_for(pace.give_way(), HANG)

    async def build() -> None:
        await go.wait()

    async with _building(pace, build):
        pace.want()
        await asyncio.wait_for(pace.give_way(), HANG)
        monkeypatch.setattr(pace_module, "GIVING_WAY", 2 * HANG)
        waiting = asyncio.create_task(pace.give_way())
        await asyncio.sleep(0)
        assert not waiting.done()
        go.set()
        await asyncio.wait_for(waiting, HANG)
        pace.want()
        await asyncio.wait_for(pace.give_way(), HANG)
