"""Workers decide from the outcome of a reconcile when the next one is due."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from grpc_operator.engine.queue import Queue
from grpc_operator.engine.workers import work
from grpc_operator.errors import ClusterError, LeaseLostError
from grpc_operator.resources import Key
from tests.waiting import HANG

KEY = Key("GrpcService", "ns", "users")


async def _run(outcome: Callable[[int], Awaitable[float | None]], count: int) -> list[str]:
    """Works on one key until it was reconciled that often; returns the results."""
    queue: Queue[Key] = Queue(jitter=lambda: 0.001)
    results: list[str] = []
    enough = asyncio.Event()
    calls = 0

    async def reconcile(key: Key) -> float | None:
        nonlocal calls
        assert key == KEY
        calls += 1
        return await outcome(calls)

    def record(kind: str, result: str, seconds: float) -> None:
        assert kind == KEY.kind
        assert seconds >= 0
        results.append(result)
        if len(results) >= count:
            enough.set()

    queue.add(KEY)
    worker = asyncio.create_task(work(queue, reconcile, record))
    stopped = asyncio.create_task(enough.wait())
    await asyncio.wait({worker, stopped}, timeout=HANG, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if worker.done():
        worker.result()
    worker.cancel()
    return results


async def test_a_key_is_not_requeued_without_a_delay() -> None:
    """Nothing is due when nothing is returned."""

    async def outcome(_: int) -> None:
        return None

    assert await _run(outcome, 1) == ["success"]


async def test_a_key_is_requeued_after_the_returned_delay() -> None:
    """It is due although nothing happened."""

    async def outcome(count: int) -> float | None:
        return 0.001 if count == 1 else None

    assert await _run(outcome, 2) == ["success", "success"]


async def test_cluster_errors_are_retried() -> None:
    """A refusal of the API server is not the end."""

    async def outcome(count: int) -> None:
        if count < 3:
            raise ClusterError("busy", status=503)

    assert await _run(outcome, 3) == ["requeue", "requeue", "success"]


async def test_a_bug_is_retried_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Any other exception is logged with its traceback and does not end the worker."""

    async def outcome(count: int) -> None:
        if count == 1:
            raise KeyError("oops")

    assert await _run(outcome, 2) == ["error", "success"]
    assert "KeyError" in caplog.text


async def test_a_lost_lease_ends_the_worker() -> None:
    """Nothing is written any more, not even by a retry."""

    async def outcome(_: int) -> None:
        raise LeaseLostError("gone")

    with pytest.raises(LeaseLostError):
        await _run(outcome, 1)
