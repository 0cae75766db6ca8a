"""Admits a call when its token says who makes it, at little cost to everybody else."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from grpc_operator import limits
from grpc_operator.xds.authentication import (
    BusyError,
    UnauthenticatedError,
    address,
    bearer_token,
)

logger = logging.getLogger(__name__)

_Caller = TypeVar("_Caller")
_Context = grpc.aio.ServicerContext[Any, Any]


class Admission:
    """Checks tokens. What has none that is valid gets the same answer, whatever is wrong."""

    def __init__(self) -> None:
        self._unknown = 0

    async def admit(
        self, context: _Context, authenticate: Callable[[str, str], Awaitable[_Caller]]
    ) -> _Caller:
        """Returns who calls; aborts the call of anybody who is not known.

        Args:
            context: The call.
            authenticate: Returns the caller from its token and IP address; raises
                UnauthenticatedError or BusyError.
        """
        peer = address(context.peer())
        if self._unknown >= limits.XDS_UNKNOWN_CALLS.value:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "too many calls at once")
        self._unknown += 1
        try:
            return await authenticate(bearer_token(context.invocation_metadata()), peer)
        except UnauthenticatedError as error:
            logger.debug("Refused a call from %s: %s", peer, error)
            code, text = grpc.StatusCode.UNAUTHENTICATED, "a valid token is required"
        except BusyError as error:
            logger.debug("Cannot check who calls from %s: %s", peer, error)
            code, text = grpc.StatusCode.UNAVAILABLE, "the token cannot be checked now"
        finally:
            self._unknown -= 1
        await context.abort(code, text)
        raise AssertionError("abort raises")
