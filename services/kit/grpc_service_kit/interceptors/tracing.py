"""One server span for each call, as a child of the client's.

Names and attributes: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/.
"""

from __future__ import annotations

from typing import Any

import grpc
from opentelemetry import context as trace_context
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from grpc_service_kit.call import Call, Interceptor, Method, Proceed

_SERVER_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""The codes that make a server's span one of an error."""


def trace_calls(provider: TracerProvider) -> Interceptor:
    """Return the interceptor that makes spans with a provider."""
    tracer = provider.get_tracer("grpc_service_kit")

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        if method.infrastructure:
            return proceed
        attributes = {"rpc.system.name": "grpc", "rpc.method": method.name}

        async def call(call: Call, request: Any) -> Any:
            parent = propagate.extract(call.metadata)
            span = tracer.start_span(
                method.name, context=parent, kind=SpanKind.SERVER, attributes=attributes
            )
            token = trace_context.attach(trace.set_span_in_context(span, parent))
            try:
                return await proceed(call, request)
            finally:
                span.set_attribute("rpc.response.status_code", call.code.name)
                if call.code in _SERVER_FAULTS:
                    span.set_status(Status(StatusCode.ERROR))
                trace_context.detach(token)
                span.end()

        return call

    return interceptor
