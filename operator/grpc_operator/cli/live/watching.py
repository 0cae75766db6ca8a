"""Reads again and again, for ``--watch``."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.output import note
from grpc_operator.errors import ClusterError

Read = TypeVar("Read")

PERIOD = 2.0
"""Seconds from one reading to the next."""


async def readings(
    read: Callable[[], Awaitable[Read]], *, watch: bool, period: float = PERIOD
) -> AsyncIterator[Read]:
    """Yields what is read: once, or again and again until the user ends it.

    Once it has been read, an API server that does not answer is said and waited for.

    Args:
        read: Reads.
        watch: Whether to go on.
        period: Seconds in between.

    Raises:
        CliError: It cannot be read.
    """
    yield await read()
    is_away = False
    while watch:
        await asyncio.sleep(period)
        try:
            found = await read()
        except CliError as error:
            if not _may_pass(error):
                raise
            if not is_away:
                note(f"error: {error}")
            is_away = True
            continue
        is_away = False
        yield found


def _may_pass(error: CliError) -> bool:
    """Whether the API server did not answer, or failed (HTTP 5xx)."""
    cause = error.__cause__
    return isinstance(cause, ClusterError) and (cause.status == 0 or cause.status >= 500)  # noqa: PLR2004 - HTTP
