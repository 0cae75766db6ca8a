"""One log line for each call: method, status code, milliseconds. Never any content."""

import logging
import time
from typing import Any

import grpc

from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.call_log import LOGGER, CallLog, Write, write_to_logger

_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNIMPLEMENTED,
}


def log_calls(log: CallLog | None) -> Interceptor:
    """Return the interceptor that logs every call when it ends.

    Calls of gRPC's own services, which come every few seconds, are logged at DEBUG; faults of the
    server as warnings.
    """
    write: Write = write_to_logger if log is None else log.write

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        usual = logging.DEBUG if method.infrastructure else logging.INFO
        name, monotonic, enabled = method.name, time.monotonic, LOGGER.isEnabledFor

        async def call(call: Call, request: Any) -> Any:
            try:
                return await proceed(call, request)
            finally:
                level = logging.WARNING if call.code in _FAULTS else usual
                if enabled(level):
                    took = (monotonic() - call.began) * 1000
                    write(level, name, call.code.name, took, call.request_id)

        return call

    return interceptor
