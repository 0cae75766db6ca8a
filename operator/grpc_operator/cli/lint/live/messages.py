"""GS105: a server without a limit for messages reads whatever a client sends into its memory."""

from collections.abc import Iterator

import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.health import PATH
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError

_LIMIT = 4 * 1024 * 1024
_FIELD = b"\xfa\x7f"
"""Tag of a field 2047 of type bytes, which no request has: servers skip it."""


async def check(server: Server) -> Iterator[Finding]:
    """Sends 4 MiB + 1 to the health service, whose requests never need more than a name."""
    code, message = await server.call(PATH, large_request())
    if code == grpc.StatusCode.UNIMPLEMENTED:
        raise NotCheckedError("needs grpc.health.v1.Health, to which a large request does no harm")
    if code == grpc.StatusCode.OK:
        text = "reads a request of more than 4 MiB, the default limit of gRPC, to its end"
        fix = "Leave the limit of received messages as it is; send what is larger as a stream."
        return iter([server.finding("GS105", text, fix)])
    if code not in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT}:
        raise NotCheckedError(f"the health service answered {code.name} ({message[:100]})")
    return iter(())


def large_request() -> bytes:
    """Returns a message of one byte more than the default limit of gRPC."""
    length = _LIMIT + 1 - len(_FIELD) - 4
    varint = bytes(
        (length >> shift & 0x7F) | (0x80 if shift < 21 else 0)  # noqa: PLR2004 - 4 bytes
        for shift in (0, 7, 14, 21)
    )
    return _FIELD + varint + bytes(length)
