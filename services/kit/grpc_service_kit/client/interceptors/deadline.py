"""Every call ends: a default deadline, and never more time than the call being served has left."""

from collections.abc import Callable

from grpc_service_kit import context
from grpc_service_kit.client.interceptors.outgoing import OutgoingCall, Step


def limit_time(
    timeouts: Callable[[str], float | None], default_seconds: float | None, margin_seconds: float
) -> Step:
    """Return the step that sets the deadline.

    Args:
        timeouts: The limits of the service config, for all kinds of calls. gRPC keeps to them as
            well, but without telling the server: only a deadline of the call itself is sent.
        default_seconds: For unary calls that have neither a limit nor a timeout of their own.
            Streams have none: a stream that watches is meant to last.
        margin_seconds: What the call being served keeps for itself, to turn the outcome into an
            answer before its own caller gives up.
    """

    async def step(call: OutgoingCall) -> None:
        limit = timeouts(call.method)
        if limit is not None:
            call.end_within(limit)
        elif call.deadline is None and default_seconds is not None and not call.streaming:
            call.end_within(default_seconds)
        incoming = context.deadline.get()
        if incoming is not None:
            call.end_by(incoming - margin_seconds)
        call.remaining()

    return step
