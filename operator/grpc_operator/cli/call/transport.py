"""What every protocol needs to make a call."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from grpc_operator.cli.call.parts import Pairs
from grpc_operator.cli.call.schema import Called, Schema

MOST_BYTES = 256 * 1024 * 1024
"""Largest message that is received; a server may send anything."""

Requests = AsyncIterator[Message]
"""Messages as they come; one, unless the method streams requests."""

Body = bytes | AsyncIterator[bytes] | None
"""Body of a request by HTTP/1.1; pieces of an iterator are sent as they come."""


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        schema: Of the method.
        called: The method.
        target: HOST:PORT to connect to, without TLS.
        authority: What to send as ``:authority`` or ``Host``.
        metadata: To send.
        deadline: Seconds; ``None`` for none.
    """

    schema: Schema
    called: Called
    target: str
    authority: str
    metadata: Pairs = field(default=())
    deadline: float | None = None


def http_headers(call: Call, deadline: str | None) -> Sequence[tuple[str, str]]:
    """Returns the headers of a request by HTTP/1.1.

    Args:
        call: The call.
        deadline: Value of ``grpc-timeout``.
    """
    timeout = [("grpc-timeout", deadline)] if deadline is not None else []
    return [("host", call.authority), *timeout, *call.metadata]
