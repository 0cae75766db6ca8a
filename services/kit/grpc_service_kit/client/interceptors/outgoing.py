"""OutgoingCall: a call before it is sent, and the steps that prepare it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc


@dataclass(slots=True)
class OutgoingCall:
    """What the steps may change."""

    method: str
    """`/package.Service/Method`."""
    streaming: bool
    """Whether requests or responses are a stream."""
    deadline: float | None
    """The time.monotonic() by which the answer is wanted."""
    wait_for_ready: bool | None
    """Whether to wait for a connection until the deadline; None takes the service config's word."""
    metadata: grpc.aio.Metadata

    def end_within(self, seconds: float) -> None:
        """Move the deadline to that far from now, unless it is earlier."""
        self.end_by(time.monotonic() + seconds)

    def end_by(self, moment: float) -> None:
        """Move the deadline to that time.monotonic(), unless it is earlier."""
        self.deadline = moment if self.deadline is None else min(self.deadline, moment)

    def add(self, key: str, value: str) -> None:
        """Add metadata, unless the caller has set it for this call."""
        if self.metadata.get(key) is None:
            self.metadata.add(key, value)

    def remaining(self) -> float | None:
        """Return the seconds until the deadline; raise DEADLINE_EXCEEDED when it has passed.

        gRPC would send the call all the same: its timer races with the request.
        """
        if self.deadline is None:
            return None
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self.error(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline has passed")
        return seconds

    def error(self, code: grpc.StatusCode, reason: str) -> grpc.aio.AioRpcError:
        """Return the error that ends the call before it is sent."""
        empty = grpc.aio.Metadata()
        return grpc.aio.AioRpcError(
            code, empty, empty, f"{self.method} was not called: {reason}", None
        )


Step = Callable[[OutgoingCall], Awaitable[None]]
"""Changes the call in place, or ends it by raising OutgoingCall.error."""
