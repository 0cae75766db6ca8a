"""RetryPolicy: which failed calls gRPC makes again by itself, and when (gRFC A6)."""

import re
from dataclasses import dataclass
from typing import Any

import grpc

from grpc_service_kit.client.errors import ClientConfigError

EVERY_METHOD = "*"
"""Stands for all methods in RetryPolicy.methods."""

_METHOD = re.compile(r"\*|[A-Za-z_][\w.]*(/[A-Za-z_]\w*)?", re.ASCII)
_MAX_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Retries with exponential backoff and jitter, within the deadline of the call.

    A call that failed may still have been applied: a server that dies after its commit and
    before its answer leaves UNAVAILABLE. Name the methods where doing it twice does no harm. Calls
    that no server has begun are made again in any case (transparent retries), named or not.

    A retry needs the request again: one of more than 256 KiB, or a stream that has got its first
    answer, is not retried (grpc.per_rpc_retry_buffer_size).

    Give calls whose requests are a stream a deadline: in grpc.aio 1.85, with the kit or without,
    such a call now and then never ends after a retry.
    """

    methods: tuple[str, ...]
    """`user.v1.UserService/GetUser`, or `user.v1.UserService` for all its methods, or
    EVERY_METHOD."""
    attempts: int = 4
    """With the first one; gRPC allows 2 to 5."""
    initial_backoff_seconds: float = 0.1
    """Before the first retry, and doubled before each of the next; 20 % more or less at random."""
    max_backoff_seconds: float = 1.0
    codes: tuple[grpc.StatusCode, ...] = (grpc.StatusCode.UNAVAILABLE,)
    """Codes worth a retry."""

    def __post_init__(self) -> None:
        problems = [
            f"retry.methods: {method!r} is not a method; write package.Service/Method, "
            f"package.Service or {EVERY_METHOD!r}"
            for method in self.methods
            if not _METHOD.fullmatch(method)
        ]
        if not self.methods:
            problems.append("retry.methods: is empty; name the methods that may be made twice")
        if not 1 < self.attempts <= _MAX_ATTEMPTS:
            problems.append(f"retry.attempts: {self.attempts} is not from 2 to {_MAX_ATTEMPTS}")
        if not 0 < self.initial_backoff_seconds <= self.max_backoff_seconds:
            problems.append(
                "retry.initial_backoff_seconds: "
                f"{self.initial_backoff_seconds} is not above 0 and at most max_backoff_seconds"
            )
        if not self.codes or grpc.StatusCode.OK in self.codes:
            problems.append("retry.codes: name codes of failures, such as StatusCode.UNAVAILABLE")
        if problems:
            raise ClientConfigError("\n".join(problems))

    def as_json(self) -> dict[str, Any]:
        """Return the `retryPolicy` of a service config."""
        return {
            "maxAttempts": self.attempts,
            "initialBackoff": f"{self.initial_backoff_seconds:.3f}s",
            "maxBackoff": f"{self.max_backoff_seconds:.3f}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": [code.name for code in self.codes],
        }
