"""What comes back from a call, by whatever protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

Pairs = Sequence[tuple[str, str]]
"""Metadata in its order; values whose name ends in ``-bin`` are base64."""


@dataclass(frozen=True)
class Headers:
    """The headers of the response."""

    pairs: Pairs


@dataclass(frozen=True)
class Answer:
    """One message.

    Attributes:
        message: The message, or what it is in JSON where the schema does not fit.
    """

    message: Message | Any


@dataclass(frozen=True)
class Outcome:
    """How the call ended.

    Attributes:
        code: gRPC status code.
        message: Of the status.
        details: ``google.rpc.Status.details`` as JSON.
        trailers: Metadata at the end.
        hint: What the client knows of the reason.
    """

    code: int
    message: str = ""
    details: Sequence[Any] = ()
    trailers: Pairs = field(default=())
    hint: str = ""


Part = Headers | Answer | Outcome
"""Headers at most once, messages, and the outcome as the last one."""
