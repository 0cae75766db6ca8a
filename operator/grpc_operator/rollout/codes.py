"""Numbers of gRPC status codes (google.rpc.Code)."""

from collections.abc import Iterable, Mapping
from typing import get_args

from grpc_operator.api.rollout import StatusCode

NAMES: Mapping[int, str] = dict(enumerate(("OK", *get_args(StatusCode))))
_NUMBERS = {name: number for number, name in NAMES.items()}


def numbers(names: Iterable[str]) -> frozenset[int]:
    """Returns the numbers of some codes."""
    return frozenset(_NUMBERS[name] for name in names)


ATTEMPT_CODES = numbers(
    ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
)
"""Those by which Envoy counts an attempt as failed (``RevisionCalls.failed``)."""
