"""Work that a process does again and again beside its calls, such as looking for news."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from grpc_service_kit.errors import DomainError

__all__ = ["repeat"]

logger = logging.getLogger(__name__)


async def repeat(
    work: Callable[[], Awaitable[object]], pause_seconds: float, name: str
) -> NoReturn:
    """Do the work, pause, and do it again, until cancelled.

    No error ends it, as nobody would begin it again: a domain error, such as a database that is
    away, is a warning, and anything else is logged with its traceback.
    """
    while True:
        try:
            await work()
        except DomainError as error:
            logger.warning("%s: %s", name, error)
        except Exception:
            logger.exception("%s failed; retrying", name)
        await asyncio.sleep(pause_seconds)
