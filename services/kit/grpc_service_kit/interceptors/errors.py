"""The one place where errors cross the wire: errors to status codes and google.rpc details."""

import asyncio
import logging
from typing import Any, NoReturn

import grpc

from grpc_service_kit import errors
from grpc_service_kit.call import Call, Method, Proceed
from grpc_service_kit.errors import DomainError
from grpc_service_kit.interceptors import details

STATUS_CODES: dict[type[DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
_PASSED_ON: dict[grpc.StatusCode, type[DomainError]] = {
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.CANCELLED: errors.Cancelled,
}
"""What a call to another service may end with that is not a fault of this one."""
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_CLOCK_SLACK = 0.02
"""Seconds by which gRPC's timer and the clock read here may differ."""

logger = logging.getLogger(__name__)


def translate_errors(_method: Method, proceed: Proceed) -> Proceed:
    """End calls with the status of the error that was raised, and note how each one ended."""

    async def call(call: Call, request: Any) -> Any:
        error: DomainError
        try:
            response = await proceed(call, request)
        except grpc.aio.AbortError:  # The handler has ended the call itself.
            call.code = _code_of(call)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            if call.ended_by is None:
                call.code = _cancelled_code(call)
                raise
            error = call.ended_by
        except grpc.aio.InternalError:  # A message could not be sent: the client is gone.
            call.code = grpc.StatusCode.CANCELLED
            raise
        except Exception as raised:  # noqa: BLE001 every unforeseen error must end as INTERNAL
            error = _foreseen(raised) or _unforeseen(call, raised)
        else:
            call.code = _code_of(call)
            return response
        return await _end(call, error)

    return call


async def _end(call: Call, error: DomainError) -> NoReturn:
    call.code = status_code(error)
    trailing = tuple(call.context.trailing_metadata() or ())
    status = details.status(call, call.code, error)
    await call.context.abort(call.code, status.message, (*trailing, details.metadata(status)))


def status_code(error: DomainError) -> grpc.StatusCode:
    """Return the code of an error: its class's, or that of the nearest base class."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


def _foreseen(error: Exception) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    if isinstance(error, grpc.aio.AioRpcError) and error.code() in _PASSED_ON:
        # The other service's text may name what this one's callers must not know.
        kind = _PASSED_ON[error.code()]
        return kind("a service that is needed for the answer did not answer in time")
    return None


def _unforeseen(call: Call, error: Exception) -> DomainError:
    logger.error(
        "%s failed", call.method.name, exc_info=error, extra={"fields": {"code": "INTERNAL"}}
    )
    # The text of an unforeseen error may hold data of others: it goes to the log only.
    return errors.Internal(f"internal error; the server's log has it under {call.request_id}")


def _code_of(call: Call) -> grpc.StatusCode:
    """Return the status the handler has set, which grpc.aio keeps in the form it was given."""
    code: Any = call.context.code()
    if code is None:
        return grpc.StatusCode.OK
    return code if isinstance(code, grpc.StatusCode) else _CODES[int(code)]


def _cancelled_code(call: Call) -> grpc.StatusCode:
    remaining = call.context.time_remaining()
    expired = remaining is not None and remaining <= _CLOCK_SLACK
    return grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED
