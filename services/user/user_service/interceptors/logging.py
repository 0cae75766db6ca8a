"""One log line for each call: method, status code, milliseconds. Never any content."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_HEALTH = "/grpc.health.v1.Health/"

_log = logging.getLogger(__name__)


@asynccontextmanager
async def log_calls(method: str, context: Any) -> AsyncIterator[None]:
    """Log the call when it ends; health checks, which come every few seconds, at DEBUG."""
    start = time.perf_counter()
    cancelled = False
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):  # The client went away or the deadline passed.
        cancelled = True
        raise
    finally:
        code = "CANCELLED" if cancelled else _CODE_NAMES[_number(context.code())]
        _log.log(
            logging.DEBUG if method.startswith(_HEALTH) else logging.INFO,
            "method=%s code=%s ms=%.1f",
            method,
            code,
            (time.perf_counter() - start) * 1000,
        )


def _number(code: Any) -> int:
    """Return a status code as its number: grpc.aio gives either form, depending on the call."""
    return int(code.value[0]) if isinstance(code, grpc.StatusCode) else int(code or 0)
