"""Workers: take a key, reconcile it, decide when it is requeued."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from grpc_operator.engine.queue import Queue
from grpc_operator.errors import ClusterError, LeaseLostError
from grpc_operator.resources import Key

logger = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Brings one object to its desired state; returns seconds after which it is requeued, if any."""

Record = Callable[[str, str, float], None]
"""Takes kind, result (``success``, ``requeue``, ``error``) and duration (s) of a reconcile."""


async def work(queue: Queue[Key], reconcile: Reconcile, record: Record) -> None:
    """Works on keys until cancelled. A failing key never stops another one.

    Raises:
        LeaseLostError: This replica may no longer write; the process must end.
    """
    while True:
        key = await queue.get()
        # Whoever else was woken by the same event goes first: proxies wait for their routes.
        await asyncio.sleep(0)
        started = time.monotonic()
        try:
            result = await _attempt(queue, reconcile, key)
        finally:
            queue.done(key)
        record(key.kind, result, time.monotonic() - started)


async def _attempt(queue: Queue[Key], reconcile: Reconcile, key: Key) -> str:
    where = {"kind": key.kind, "namespace": key.namespace, "service": key.name}
    try:
        requeue_after = await reconcile(key)
    except LeaseLostError:
        raise
    except ClusterError as error:
        delay = queue.retry(key, at_least=error.retry_after or 0.0)
        logger.warning("Will retry in %.1f s: %s", delay, error, extra=where)
        return "requeue"
    except Exception:
        delay = queue.retry(key)
        logger.exception("Bug: reconcile failed, will retry in %.1f s", delay, extra=where)
        return "error"
    queue.forget(key)
    if requeue_after is not None:
        queue.add_after(key, requeue_after)
    return "success"
