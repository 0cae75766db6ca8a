"""Workers decide from the outcome of a look when the next one is due."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from grpc_operator.engine.queue import Queue
from grpc_operator.engine.workers import work
from grpc_operator.errors import ClusterError, LeaseLostError
from grpc_operator.resources import Key

KEY = Key("GrpcService", "ns", "users")


async def _run(look: Callable[[int], Awaitable[float | None]], looks: int) -> list[str]:
    """Works on one key until it has had that many looks; returns their results."""
    queue: Queue[Key] = Queue(jitter=lambda: 0.001)
    results: list[str] = []
    enough = asyncio.Event()
    count = 0

    async def reconcile(key: Key) -> float | None:
        nonlocal count
        assert key == KEY
        count += 1
        return await look(count)

    def record(result: str, seconds: float) -> None:
        assert seconds >= 0
        results.append(result)
        if len(results) >= looks:
            enough.set()

    queue.add(KEY)
    worker = asyncio.create_task(work(queue, reconcile, record))
    stopped = asyncio.create_task(enough.wait())
    await asyncio.wait({worker, stopped}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if worker.done():
        worker.result()
    worker.cancel()
    return results


async def test_a_good_look_is_the_last() -> None:
    """Nothing is due when nothing is asked for."""

    async def look(_: int) -> None:
        return None

    assert await _run(look, 1) == ["ok"]


async def test_a_look_can_ask_for_another() -> None:
    """The returned delay is honoured."""

    async def look(count: int) -> float | None:
        return 0.001 if count == 1 else None

    assert await _run(look, 2) == ["ok", "ok"]


async def test_cluster_errors_are_retried() -> None:
    """A refusal of the API server is not the end."""

    async def look(count: int) -> None:
        if count < 3:
            raise ClusterError("busy", status=503)

    assert await _run(look, 3) == ["retry", "retry", "ok"]


async def test_a_bug_is_retried_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Any other exception is logged with its traceback and does not end the worker."""

    async def look(count: int) -> None:
        if count == 1:
            raise KeyError("oops")

    assert await _run(look, 2) == ["error", "ok"]
    assert "KeyError" in caplog.text


async def test_a_lost_lease_ends_the_worker() -> None:
    """Nothing is written any more, not even by a retry."""

    async def look(_: int) -> None:
        raise LeaseLostError("gone")

    with pytest.raises(LeaseLostError):
        await _run(look, 1)
