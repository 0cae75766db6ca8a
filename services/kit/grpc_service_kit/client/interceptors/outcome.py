"""What became of each outgoing call: counted, and logged when the other service failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
from prometheus_client import CollectorRegistry

from grpc_service_kit.call_metrics import metrics_of

_WORTH_A_WARNING = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""Codes that say something about the other service, or about how it is called; the others are
answers, such as NOT_FOUND."""
_MOST_CHARACTERS = 500

logger = logging.getLogger("grpc_service_kit.client")
# A program that has not configured logging gets errors, and prints what it wants of them.
logger.addHandler(logging.NullHandler())

Ended = Callable[[grpc.StatusCode, str], None]
"""Takes the code and the words of a call's status."""


class Outcomes:
    """Counts and logs the calls of one channel.

    Args:
        peer: What is called, for the log.
        registry: Where the calls are counted.
    """

    def __init__(self, peer: str, registry: CollectorRegistry) -> None:
        self._peer = peer
        self._metrics = metrics_of(registry, "client")

    def begin(self, path: str, *, requests: bool, responses: bool) -> Ended:
        """Count the begin of a call; what is returned takes its end."""
        counted = self._metrics.of(path, requests=requests, responses=responses)
        began = counted.begin()

        def ended(code: grpc.StatusCode, words: str) -> None:
            counted.end(code, began)
            if code in _WORTH_A_WARNING:
                self._log(path, code, words)

        return ended

    def _log(self, path: str, code: grpc.StatusCode, words: str) -> None:
        fields = {
            "method": path.removeprefix("/"),
            "peer": self._peer,
            "code": code.name,
            "details": " ".join(words.split())[:_MOST_CHARACTERS],
        }
        logger.warning("a call to another service failed", extra={"fields": fields})


def observe(running: Any, ended: Ended) -> None:
    """Call `ended` when a call that was sent has its status."""

    def done(call: Any) -> None:
        ended(_at_once(call.code()), _at_once(call.details()) or "")

    try:
        running.add_done_callback(done)
    except NotImplementedError:  # The response that an interceptor gave instead of a call.
        ended(grpc.StatusCode.OK, "")


def _at_once(status: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that has nothing to wait for: the call has ended.

    A task for every call would cost more than all else that is done for it here.
    """
    try:
        status.send(None)
    except StopIteration as returned:
        return returned.value
    status.close()
    raise RuntimeError("a call has no status, although it has ended")
