"""The trace goes on: the trace context of the current span, as OpenTelemetry's propagators have it.

That is `traceparent` (W3C) by default, and what OTEL_PROPAGATORS says otherwise. With tracing off
there is no current span and nothing is sent.
"""

from opentelemetry import propagate

from grpc_service_kit.client.interceptors.outgoing import OutgoingCall


async def send_trace_context(call: OutgoingCall) -> None:
    """Send the headers of the current span and of its baggage."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    for key, value in headers.items():
        call.add(key.lower(), value)
