"""What is known about the call that is being served: one context variable for each fact.

The server's interceptors set them; each call is served in a context of its own, which every task
that the handler starts inherits. Outside of a call every variable is None. The trace context is
not here: OpenTelemetry keeps it in a context variable of its own.
"""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

__all__ = ["authorization", "claims", "deadline", "draining", "request_id"]

request_id: ContextVar[str | None] = ContextVar("grpc_service_kit.request_id", default=None)
"""The id that logs and outgoing calls carry."""

deadline: ContextVar[float | None] = ContextVar("grpc_service_kit.deadline", default=None)
"""The time.monotonic() by which the caller wants the answer; None when it did not say."""

authorization: ContextVar[str | None] = ContextVar("grpc_service_kit.authorization", default=None)
"""The `authorization` metadata of the caller as it came. A secret: never log it."""

claims: ContextVar[Mapping[str, Any] | None] = ContextVar("grpc_service_kit.claims", default=None)
"""The claims of the caller's token, once they are verified."""

draining: ContextVar[asyncio.Event | None] = ContextVar("grpc_service_kit.draining", default=None)
"""Set when the server begins to end: a stream without an end should end itself then."""
