"""The one place where errors cross the wire: domain errors to gRPC status codes."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from user_service.domain import DomainError, EmailTaken, InvalidArgument, UserNotFound

STATUS_CODES: dict[type[DomainError], grpc.StatusCode] = {
    InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    UserNotFound: grpc.StatusCode.NOT_FOUND,
    EmailTaken: grpc.StatusCode.ALREADY_EXISTS,
}

_log = logging.getLogger(__name__)


@asynccontextmanager
async def translate_errors(method: str, context: Any) -> AsyncIterator[None]:
    """End the call with the status of a domain error, or INTERNAL for anything unforeseen."""
    try:
        yield
    except DomainError as error:
        await context.abort(STATUS_CODES[type(error)], str(error))
    except grpc.aio.AbortError:  # The handler has ended the call itself.
        raise
    except Exception:  # noqa: BLE001 every unforeseen error must end as INTERNAL
        _log.exception("method=%s failed", method)
        # The text of an unforeseen error may hold data of others: it goes to the log only.
        await context.abort(grpc.StatusCode.INTERNAL, "internal error; see the server's log")
