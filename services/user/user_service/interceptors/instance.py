"""Names the answering instance in the initial metadata, so that load balancing can be seen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from user_service.interceptors.guard import Guard

INSTANCE = "x-instance"


def name_instance(instance: str) -> Guard:
    """Return a guard that sends the name of this instance before the first answer."""

    @asynccontextmanager
    async def guard(_method: str, context: Any) -> AsyncIterator[None]:
        await context.send_initial_metadata(((INSTANCE, instance),))
        yield

    return guard
