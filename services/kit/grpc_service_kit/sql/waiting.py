"""Waits for a database that is away when a service starts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from grpc_service_kit.errors import Unavailable
from grpc_service_kit.sql.errors import StoreError
from grpc_service_kit.sql.faults import Fault, described, fault_of
from grpc_service_kit.sql.pooler import problem_of

_PAUSE = 1.0
"""Seconds between two attempts."""
T = TypeVar("T")

logger = logging.getLogger(__name__)


async def wait_for_database(attempt: Callable[[], Awaitable[T]], url: URL, seconds: float) -> T:
    """Return what an attempt returns; make another one while the database is away.

    Raises StoreError when the time is over, and at once when waiting is of no use.
    """
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await attempt()
        except (Unavailable, SQLAlchemyError, OSError) as error:
            if problem := problem_of(error, url):
                raise problem from error
            away = isinstance(error, Unavailable) or fault_of(error) in {Fault.LOST, Fault.MOVED}
            if not away or asyncio.get_running_loop().time() >= end:
                raise StoreError(
                    f"DATABASE_URL: {url!r} cannot be used: {_reason(error)}; set it to a database"
                    " that this process can reach and may change"
                ) from error
            reason = error if isinstance(error, Unavailable) else described(error)
            logger.warning("waiting for the database: %s", reason)
        await asyncio.sleep(_PAUSE)


def _reason(error: BaseException) -> str:
    """Return what the database said; its own texts name users and databases, never passwords."""
    orig = getattr(error, "orig", None)
    cause = getattr(orig, "__cause__", None) or orig or error
    return str(cause).splitlines()[0] if str(cause) else described(error)
